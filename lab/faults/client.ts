import { setTimeout as sleep } from 'node:timers/promises';
import { LabUnreachableError, messageOf } from '../errors.js';
import type { FaultEvent, FaultRule, Target } from './types.js';

export interface WaitOptions {
  /** Which match to wait for (1 = the first since the rule was added). */
  count?: number;
  /** Only matches that the rule acted on (a hold that holds, for one). */
  acted?: boolean;
  /** Milliseconds. */
  timeout?: number;
}

/** States of the AWS stand-in that a test can set. */
export interface AwsSettings {
  /** Patterns `service:Action` (with *) that are refused, for real calls, dry runs and SimulatePrincipalPolicy alike. */
  denied?: string[];
  /** What DescribeInstanceRefreshes answers: `{AutoScalingGroupName, InstanceRefreshId, Status: 'InProgress'}`. */
  instanceRefreshes?: Record<string, string>[];
  /** Subnet id to AvailableIpAddressCount. */
  availableIpAddressCount?: Record<string, number>;
  /** Whether DescribeAddonConfiguration's schema knows `affinity` (and UpdateAddon accepts it). */
  addonSchemaHasAffinity?: boolean;
  /** No Auto Scaling group launches anything while true: as when EC2 has no capacity. */
  launchesHeld?: boolean;
  /** Every launch of a group fails, with these words of AWS; null: no more. */
  launchFailure?: string | null;
  /** Milliseconds from shutting-down to terminated, from now on. */
  instanceTerminationDelay?: number;
  /** Status changes of EKS updates made by `addEksUpdate`. */
  eksUpdates?: { id: string; status: 'InProgress' | 'Successful' | 'Failed' | 'Cancelled' }[];
}

/** Faults and tripwires of a lab: the client of its control endpoint. Works from any process. */
export class LabFaults {
  constructor(private readonly controlUrl: string) {}

  /** Arms a rule. @returns its id. */
  async add(rule: FaultRule): Promise<string> {
    return (await this.call<{ id: string }>('POST', '/rules', rule)).id;
  }

  /**
   * Waits for a match of a rule.
   * @throws Error when the time is over.
   */
  async waitFor(ruleId: string, options: WaitOptions = {}): Promise<FaultEvent> {
    const end = Date.now() + (options.timeout ?? 60_000);
    let after = 0;
    for (;;) {
      const wait = Math.max(0, Math.min(20_000, end - Date.now()));
      const { events } = await this.call<{ events: FaultEvent[] }>('GET', `/events?after=${String(after)}&timeout=${String(wait)}`);
      for (const event of events) {
        after = event.seq;
        if (event.rule === ruleId && event.match >= (options.count ?? 1) && (options.acted !== true || event.acted)) return event;
      }
      if (Date.now() >= end) throw new Error(`no match ${String(options.count ?? 1)} of fault rule ${ruleId} in time`);
    }
  }

  /** Events with a sequence number above `after`; waits up to `timeout` ms for the first. */
  async events(after = 0, timeout = 0): Promise<FaultEvent[]> {
    return (await this.call<{ events: FaultEvent[] }>('GET', `/events?after=${String(after)}&timeout=${String(timeout)}`)).events;
  }

  /** Lets the requests go that a rule holds. The rule does nothing any more, unless `keep`. @returns how many there were. */
  async release(ruleId: string, options: { keep?: boolean } = {}): Promise<number> {
    return (await this.call<{ released: number }>('POST', `/rules/${encodeURIComponent(ruleId)}/release`, options)).released;
  }

  async remove(ruleId: string): Promise<void> {
    await this.call('DELETE', `/rules/${encodeURIComponent(ruleId)}`);
  }

  /** Removes every rule, releases what is held and ends every absence. */
  async clear(): Promise<void> {
    await this.call('DELETE', '/rules');
  }

  async rules(): Promise<(FaultRule & { id: string; matches: number; parked: number })[]> {
    return (await this.call<{ rules: (FaultRule & { id: string; matches: number; parked: number })[] }>('GET', '/rules')).rules;
  }

  /** Nobody answers at that front for so long (ms); open connections are cut. 0 ends it. */
  async away(target: Target, milliseconds: number): Promise<void> {
    await this.call('POST', '/away', { target, milliseconds });
  }

  /** Kills kube-apiserver, brings it back after `downFor` ms, and returns when it is ready. */
  async restartApiServer(downFor = 0): Promise<void> {
    await this.call('POST', '/restart-apiserver', { downFor });
  }

  /** Requests so far: `kubernetes CLIENT VERB RESOURCE` and `aws SERVICE ACTION` to a number. */
  counts(): Promise<Record<string, number>> {
    return this.call<Record<string, number>>('GET', '/counts');
  }

  async resetCounts(): Promise<void> {
    await this.call('DELETE', '/counts');
  }

  async aws(settings: AwsSettings): Promise<void> {
    await this.call('POST', '/aws', settings);
  }

  /** An EKS update as ListUpdates and DescribeUpdate show it (a control-plane upgrade in progress, for one). @returns its id. */
  async addEksUpdate(update: { type?: string; status?: string; scope?: { nodegroupName?: string; addonName?: string } } = {}): Promise<string> {
    return (await this.call<{ id: string }>('POST', '/aws/eks-update', update)).id;
  }

  private async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    let last: unknown;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      try {
        const response = await fetch(this.controlUrl + path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }) });
        const text = await response.text();
        if (!response.ok) throw new Error(`lab control ${method} ${path}: ${text}`);
        return JSON.parse(text) as T;
      } catch (error) {
        // A kept-alive connection that the server had just closed; anything else is told at once.
        if (!(error instanceof TypeError)) throw error;
        last = error;
        await sleep(50);
      }
    }
    throw new LabUnreachableError(`the lab's control endpoint ${this.controlUrl} does not answer: ${messageOf(last)}`);
  }
}
