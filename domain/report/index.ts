export { renderPlan, enforcementShows, installShows } from './plan.js';
export type { PlanFormat } from './plan.js';
export { renderStatus, nextCommands, STATE_TEXT } from './status.js';
export type { StatusFormat } from './status.js';
export { renderReport } from './report.js';
export type { ReportFormat } from './report.js';
export { findingsText, findingsMarkdown } from './findings.js';
export { renderNodes } from './nodes.js';
export type { NodesPage } from './nodes.js';
