/** How well sound and pictures get through, from the browser's own statistics. */

/** `lost`: nothing comes at the moment. */
export type Level = "good" | "fair" | "poor" | "lost";

export interface NetworkQuality {
  level: Level;
  /** To the server and back. */
  roundTripMs: number | null;
  /** Share of packets that did not come since the last measurement, 0 to 1. */
  loss: number;
  jitterMs: number;
  framesPerSecond: number | null;
  receivedKbps: number;
  sentKbps: number;
}

const FAIR = { roundTripMs: 200, loss: 0.02, jitterMs: 40 };
const POOR = { roundTripMs: 400, loss: 0.06, jitterMs: 100 };

interface Counts {
  at: number;
  received: number;
  missing: number;
  bytesIn: number;
  bytesOut: number;
}

/** Compares each report with the one before it. */
export class QualityMeter {
  #before: Counts | null = null;

  measure(report: RTCStatsReport): NetworkQuality {
    const now: Counts = { at: 0, received: 0, missing: 0, bytesIn: 0, bytesOut: 0 };
    let [jitterMs, framesPerSecond, roundTripMs]: [number, number | null, number | null] = [0, null, null];
    for (const entry of report.values()) {
      now.at = Math.max(now.at, entry.timestamp);
      if (entry.type === "inbound-rtp") {
        now.received += entry.packetsReceived ?? 0;
        now.missing += entry.packetsLost ?? 0;
        now.bytesIn += entry.bytesReceived ?? 0;
        // The packets of one picture come in a burst, which says nothing of the network.
        if (entry.kind === "audio") jitterMs = 1000 * (entry.jitter ?? 0);
        else framesPerSecond = entry.framesPerSecond ?? null;
      } else if (entry.type === "outbound-rtp") now.bytesOut += entry.bytesSent ?? 0;
      else if (entry.type === "candidate-pair" && entry.nominated && entry.currentRoundTripTime !== undefined) {
        roundTripMs = 1000 * entry.currentRoundTripTime;
      }
    }
    const before = this.#before ?? now;
    this.#before = now;
    const [received, missing] = [now.received - before.received, Math.max(0, now.missing - before.missing)];
    const loss = received + missing > 0 ? missing / (received + missing) : 0;
    const seconds = Math.max(0.001, (now.at - before.at) / 1000);
    const measured = { roundTripMs, loss, jitterMs };
    return {
      level: exceeds(measured, POOR) ? "poor" : exceeds(measured, FAIR) ? "fair" : "good",
      ...measured,
      framesPerSecond,
      receivedKbps: ((now.bytesIn - before.bytesIn) * 8) / 1000 / seconds,
      sentKbps: ((now.bytesOut - before.bytesOut) * 8) / 1000 / seconds,
    };
  }
}

type Measured = { roundTripMs: number | null; loss: number; jitterMs: number };

function exceeds(measured: Measured, limit: typeof FAIR): boolean {
  const { roundTripMs, loss, jitterMs } = measured;
  return (roundTripMs ?? 0) > limit.roundTripMs || loss > limit.loss || jitterMs > limit.jitterMs;
}
