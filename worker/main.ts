export async function runWorkerProcess(_options: { metrics?: string }): Promise<void> {
  throw new Error('not yet');
}
