/** What one key of ConfigMap cilium-config must say. */
export interface ExpectedKey {
  key: string;
  /** In words, for the finding. */
  expected: string;
  holds: (value: string | undefined) => boolean;
}

export const exactly = (key: string, value: string): ExpectedKey => ({ key, expected: JSON.stringify(value), holds: (seen) => seen === value });
export const absentOr = (key: string, value: string): ExpectedKey => ({
  key,
  expected: `${JSON.stringify(value)} or nothing`,
  holds: (seen) => seen === undefined || seen === value,
});
