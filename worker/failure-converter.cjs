// Messages and stacks of failures go through the codec like any payload. CommonJS: see codec.ts.
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
