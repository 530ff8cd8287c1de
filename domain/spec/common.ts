import { z } from 'zod';

/** A DNS-1123 subdomain short enough to be part of a workflow id and a label. */
export const objectName = z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/, 'expected lower case letters, digits, - and ., at most 63');

export const roleArn = z.string().regex(/^arn:[a-z-]+:iam::\d{12}:role\/.+$/, 'expected a role ARN like arn:aws:iam::111122223333:role/ciliate');
