import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';

/** Of a payload that is encrypted. */
export const ENCODING = 'binary/encrypted';
const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Environment variable with the keys: `id:base64,id:base64`; the first encrypts, all decrypt (so that keys can be rotated). */
export const CODEC_KEYS_ENV = 'CILIATE_CODEC_KEYS';

const text = new TextEncoder();
const plain = new TextDecoder();

/**
 * Encrypts every payload whole (AES-256-GCM), so that Temporal stores neither cluster names nor reports in the clear. Payloads
 * that are not encrypted pass through: a run that was started before the key was set goes on.
 */
export class EncryptionCodec implements PayloadCodec {
  private readonly current: string;

  /** @param keys 32 bytes each, by id; the first is used to encrypt. */
  constructor(private readonly keys: ReadonlyMap<string, Buffer>) {
    const first = [...keys.keys()][0];
    if (first === undefined) throw new Error(`${CODEC_KEYS_ENV}: expected at least one id:key`);
    this.current = first;
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => ({
      metadata: { encoding: text.encode(ENCODING), 'encryption-key-id': text.encode(this.current) },
      data: this.encrypt(serialise(payload)),
    }));
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      const encoding = payload.metadata?.['encoding'];
      if (encoding == null || plain.decode(encoding) !== ENCODING || payload.data == null) return payload;
      const id = payload.metadata?.['encryption-key-id'];
      return deserialise(this.decrypt(payload.data, id == null ? '' : plain.decode(id)));
    });
  }

  private encrypt(data: Buffer): Uint8Array {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.key(this.current), iv);
    return Buffer.concat([iv, cipher.update(data), cipher.final(), cipher.getAuthTag()]);
  }

  private decrypt(data: Uint8Array, id: string): Buffer {
    const bytes = Buffer.from(data);
    const decipher = createDecipheriv(CIPHER, this.key(id), bytes.subarray(0, IV_BYTES));
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, bytes.length - TAG_BYTES)), decipher.final()]);
  }

  private key(id: string): Buffer {
    const key = this.keys.get(id);
    if (key === undefined) throw new Error(`${CODEC_KEYS_ENV}: expected the key "${id}" that this payload was encrypted with, saw ${[...this.keys.keys()].join(', ')}`);
    return key;
  }
}

/**
 * The data converter for worker and client alike: encryption when {@link CODEC_KEYS_ENV} is set, else Temporal's default.
 * With encryption the messages and stacks of failures are encrypted too; ids, search attributes and summaries never are.
 */
export function dataConverterFromEnv(env: NodeJS.ProcessEnv = process.env): DataConverter | undefined {
  const keys = env[CODEC_KEYS_ENV];
  if (keys === undefined || keys === '') return undefined;
  return { payloadCodecs: [new EncryptionCodec(parseKeys(keys))], failureConverterPath: FAILURE_CONVERTER };
}

/** CommonJS, since Temporal loads it with `require` and webpack takes it into the workflow bundle. */
export const FAILURE_CONVERTER = fileURLToPath(new URL('./failure-converter.cjs', import.meta.url));

/** `id:base64,…` with 32 bytes each. The key itself never appears in a message. */
export function parseKeys(value: string): Map<string, Buffer> {
  return new Map(
    value.split(',').map((entry, index) => {
      const [id = '', encoded = ''] = entry.trim().split(':');
      const key = Buffer.from(encoded, 'base64');
      if (id === '' || key.length !== 32) throw new Error(`${CODEC_KEYS_ENV}: expected entry ${index + 1} as id:key with a key of 32 bytes in base64, saw ${key.length} bytes`);
      return [id, key];
    }),
  );
}

/** proto3's JSON form of a Payload, so that a codec server in any language can read what was decrypted. */
function serialise(payload: Payload): Buffer {
  const metadata = Object.fromEntries(Object.entries(payload.metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]));
  return Buffer.from(JSON.stringify({ metadata, data: payload.data == null ? null : Buffer.from(payload.data).toString('base64') }));
}

function deserialise(data: Buffer): Payload {
  const { metadata, data: body } = JSON.parse(data.toString('utf8')) as { metadata: Record<string, string>; data: string | null };
  return {
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, new Uint8Array(Buffer.from(value, 'base64'))])),
    data: body === null ? undefined : new Uint8Array(Buffer.from(body, 'base64')),
  };
}
