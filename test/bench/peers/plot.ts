import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BarChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { resultsFolder } from '../../support/results.js';

use([BarChart, LineChart, ScatterChart, GridComponent, TitleComponent, SVGRenderer]);

/** What is drawn of one run. */
export interface PlotLine {
  contender: string;
  nodes: number;
  /** Seconds; null if the cluster was never back. */
  elapsed: number | null;
  bound: number;
  /** `seconds:nodes …` */
  usable: string;
}

const WIDTH = 1200;
const PANEL = 340;
const TOP = 70;
const LEFT = { left: 60, width: 560 };
const RIGHT = { left: 860, width: 270 };
const INK = '#333';
/** Ours in blues, so that they are found at once. */
const COLOURS: [RegExp, string][] = [
  [/^article/, '#9a9a9a'],
  [/^eks-rolling-update/, '#e07b28'],
  [/serial/, '#7fb3e6'],
  [/canary/, '#3aa17e'],
  [/surge/, '#1f5fb0'],
];

function colour(name: string): string {
  return COLOURS.find(([pattern]) => pattern.test(name))?.[1] ?? INK;
}

/** The points of a step line, ending where the contender was done. */
function points({ usable, elapsed }: PlotLine): [number, number][] {
  const all = usable.split(' ').map((pair): [number, number] => {
    const [second = 0, nodes = 0] = pair.split(':').map(Number);
    return [second, nodes];
  });
  if (elapsed === null) return all;
  const during = all.filter(([second]) => second <= elapsed);
  return [...during, [elapsed, during.at(-1)?.[1] ?? 0]];
}

/** Of one size: usable nodes over time on the left, elapsed and bound on the right. */
function panel(lines: PlotLine[], index: number): { grid: object[]; xAxis: object[]; yAxis: object[]; series: object[]; title: object[] } {
  const top = TOP + index * PANEL;
  const height = PANEL - 110;
  const [time, bars] = [2 * index, 2 * index + 1];
  const label = { color: INK, fontSize: 13 };
  const heading = (text: string, left: number): object => ({ text, left, top: top - 40, textStyle: { ...label, fontSize: 15, fontWeight: 'bold' } });
  const finished = lines.filter(({ elapsed }) => elapsed !== null).reverse();
  return {
    grid: [
      { ...LEFT, top, height },
      { ...RIGHT, top, height },
    ],
    xAxis: [
      { gridIndex: time, type: 'value', name: 'seconds since the first change', nameLocation: 'middle', nameGap: 28, nameTextStyle: label, axisLabel: label, splitLine: { show: false } },
      { gridIndex: bars, type: 'value', name: 'seconds; the tick is the bound', nameLocation: 'middle', nameGap: 28, nameTextStyle: label, axisLabel: label, splitNumber: 3 },
    ],
    yAxis: [
      { gridIndex: time, type: 'value', minInterval: 1, axisLabel: label },
      { gridIndex: bars, type: 'category', data: finished.map(({ contender }) => contender), axisLabel: { ...label, width: 200, overflow: 'break' }, axisTick: { show: false } },
    ],
    series: [
      ...lines.map((line) => ({ type: 'line', xAxisIndex: time, yAxisIndex: time, step: 'end', symbol: 'none', lineStyle: { width: 2, color: colour(line.contender) }, data: points(line) })),
      {
        type: 'bar',
        xAxisIndex: bars,
        yAxisIndex: bars,
        barWidth: '55%',
        label: { show: true, position: 'right', formatter: ({ value }: { value: number }) => `${Math.round(value)} s`, ...label },
        data: finished.map(({ contender, elapsed }) => ({ value: elapsed, itemStyle: { color: colour(contender) } })),
      },
      { type: 'scatter', xAxisIndex: bars, yAxisIndex: bars, symbol: 'rect', symbolSize: [3, 26], itemStyle: { color: '#111' }, z: 3, data: finished.map(({ contender, bound }) => [bound, contender]) },
    ],
    title: [heading(`${lines[0]?.nodes ?? 0} nodes: usable nodes over time`, LEFT.left - 30), heading('elapsed', RIGHT.left)],
  };
}

/** Draws docs/results/bench-peers.svg. */
export function drawPeers(lines: PlotLine[]): void {
  const sizes = [...new Set(lines.map(({ nodes }) => nodes))].sort((a, b) => a - b);
  if (sizes.length === 0) return;
  const panels = sizes.map((size, index) => panel(lines.filter(({ nodes }) => nodes === size), index));
  const all = (key: 'grid' | 'xAxis' | 'yAxis' | 'series' | 'title'): object[] => panels.flatMap((one) => one[key]);
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: TOP + PANEL * sizes.length - 30 });
  chart.setOption({ animation: false, backgroundColor: '#fff', grid: all('grid'), xAxis: all('xAxis'), yAxis: all('yAxis'), series: all('series'), title: all('title') });
  writeFileSync(join(resultsFolder(), 'bench-peers.svg'), chart.renderToSVGString());
  chart.dispose();
}

/** Draws again from what a run wrote: `npx tsx test/bench/peers/plot.ts`. */
if (process.argv[1]?.endsWith('plot.ts') === true) {
  const { lines } = JSON.parse(readFileSync(join(resultsFolder(), 'bench-peers.json'), 'utf8')) as { lines: PlotLine[] };
  drawPeers(lines);
}
