import type { ChartProblem, Hazard, HazardInput } from '../findings.js';
import { finding } from './finding.js';

/** One hazard a stage of the chart's way, so that each has a section of its own in the docs. */
function stageHazard(id: string, stage: ChartProblem['stage'], title: string): Hazard {
  return {
    id,
    title,
    check({ chartProblems = [] }: HazardInput) {
      return chartProblems
        .filter((problem) => problem.stage === stage)
        .map((problem) => finding(id, 'blocker', { objects: [problem.object], message: problem.message, todo: problem.todo }));
    },
  };
}

export const chartUnavailable = stageHazard('chart-unavailable', 'chart', 'The Cilium chart cannot be had');
export const valuesFight = stageHazard('values-fight', 'values', 'A Helm value fights the migration');
export const chartRender = stageHazard('chart-render', 'render', 'The chart does not render with these values');
export const chartAssertion = stageHazard('chart-assertion', 'assertion', 'The chart renders to something that is not safe to install');
