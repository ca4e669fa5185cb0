/** What was said in a conversation and how soon, put together from its events. */

import type { ConversationEvent, Turn } from "../api/types";

export interface Line {
  /** Event by which it is known. */
  seq: number;
  role: "user" | "replica";
  text: string;
  /** Unix seconds. */
  began: number;
  ended: number;
  interrupted: boolean;
  /** Still being said. */
  open: boolean;
  /** How soon a reply came. */
  latency: Turn | null;
  /** How the person looked and sounded, where something watched. */
  notes: string[];
}

export interface Story {
  lines: Line[];
  turns: Turn[];
  /** When somebody joined, Unix seconds. */
  began: number | null;
  ended: boolean;
}

export function storyOf(events: readonly ConversationEvent[]): Story {
  const story: Story = { lines: [], turns: [], began: null, ended: false };
  const since: Partial<Record<string, number>> = {};
  let latency: Turn | null = null;
  for (const event of events) {
    const said = event.properties ?? {};
    const role = said.role as Line["role"];
    switch (event.event_type) {
      case "conversation.joined":
        story.began ??= event.timestamp;
        break;
      case "conversation.started_speaking":
        since[role] = event.timestamp;
        break;
      case "conversation.latency":
        latency = { turn_idx: event.turn_idx, timestamp: event.timestamp, ...said } as unknown as Turn;
        story.turns.push(latency);
        break;
      case "conversation.utterance.streaming":
      case "conversation.utterance": {
        const line = lineOf(event, role, since[role]);
        if (role === "replica") line.latency = latency;
        const last = story.lines.findLastIndex((one) => one.role === role && one.open);
        if (last >= 0) line.latency ??= story.lines[last]?.latency ?? null;
        story.lines.splice(last >= 0 ? last : story.lines.length, last >= 0 ? 1 : 0, line);
        if (!line.open) {
          delete since[role];
          if (role === "replica") latency = null;
        }
        break;
      }
      case "conversation.perception_analysis": {
        const last = story.lines.findLast((one) => one.role === "user");
        last?.notes.push(String(said.analysis));
        break;
      }
      case "conversation.ended":
      case "system.shutdown":
        story.ended = true;
    }
  }
  story.lines = story.lines.filter((line) => line.text.trim());
  return story;
}

function lineOf(event: ConversationEvent, role: Line["role"], since: number | undefined): Line {
  const said = event.properties ?? {};
  const notes = [said.user_visual_analysis, said.user_audio_analysis].filter((note) => typeof note === "string");
  return {
    seq: event.seq,
    role,
    text: String(said.speech ?? ""),
    began: since ?? event.timestamp,
    ended: event.timestamp,
    interrupted: said.interrupted === true || said.is_interrupted === true,
    open: event.event_type === "conversation.utterance.streaming",
    latency: null,
    notes,
  };
}
