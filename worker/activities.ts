/** The activities of a worker process, each on clients of the cluster that its input names. */
export function workerActivities(): object {
  return {};
}
