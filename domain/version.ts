/** The version that reports, leases and ledgers carry. Kept equal to package.json by a unit test. */
export const CILIATE_VERSION = '0.1.0';
