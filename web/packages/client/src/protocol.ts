/** The interactions protocol: what a conversation tells, and what it can be told. See docs/interactions.md. */

export type Role = "user" | "replica";
export type Sensitivity = "superlow" | "verylow" | "low" | "medium" | "high" | "auto";
export type Emotion =
  | "neutral" | "happiness" | "sadness" | "anger" | "surprise" | "fear" | "disgust" | "contempt";

export interface Utterance {
  role: Role;
  /** Of the replica, what was heard of it. */
  speech: string;
  interrupted?: boolean;
  /** In a call of several people, who said it; whose events are one's own is told by `participant_joined`. */
  participant_id?: string;
}

export interface StreamingUtterance {
  role: Role;
  /** All words of this turn so far. */
  speech: string;
  /** How many words that are. */
  content_index: number;
  final: boolean;
  is_interrupted?: boolean;
  participant_id?: string;
}

/** Tokens that a reply cost; those of one that was prepared and not said are `dropped`. */
export interface Usage {
  input_tokens: number;
  cached_input_tokens: number;
  output_tokens: number;
  requests: number;
  dropped: boolean;
  /** The model did not tell. */
  estimated: boolean;
}

export interface Latency {
  /** From the person's last sound to the replica's first, milliseconds; null where the person wrote. */
  utterance_to_utterance_ms: number | null;
  began_at?: number;
  /** When each stage was done, milliseconds. */
  stages: Record<string, number>;
}

export interface Overlap {
  outcome: "began" | "interruption" | (string & {});
  /** The replica holds its breath until it is decided. */
  held?: boolean;
}

export interface ToolCall {
  name: string;
  /** JSON text. */
  arguments: string;
  tool_call_id?: string;
}

export interface PerceptionToolCall {
  modality: "vision" | "audio";
  name: string;
  arguments: string | Record<string, unknown>;
  frames?: { data?: string; mime_type?: string; uri?: string }[];
}

type Nothing = Record<string, never>;
type Speaking = { duration: number | null; interrupted: boolean };

/** Properties of every event, by its type. */
export interface ServerEvents {
  "conversation.joined": Nothing;
  "conversation.left": Nothing;
  "conversation.participant_joined": { participant_id: string; participant_count: number; own?: boolean };
  "conversation.participant_left": { participant_id: string; participant_count: number };
  "system.replica_joined": { replica_id: string };
  "system.replica_present": { replica_id: string };
  "system.pal_joined": { face_id: string };
  "system.pal_present": { face_id: string };
  "system.heartbeat": Nothing;
  "conversation.started_speaking": Speaking & { role: Role };
  "conversation.stopped_speaking": Speaking & { role: Role };
  "conversation.replica.started_speaking": Speaking;
  "conversation.replica.stopped_speaking": Speaking;
  "conversation.user.started_speaking": Nothing;
  "conversation.user.stopped_speaking": Nothing;
  "conversation.utterance.streaming": StreamingUtterance;
  "conversation.utterance": Utterance;
  "conversation.tool_call": ToolCall;
  "conversation.perception_tool_call": PerceptionToolCall;
  "conversation.perception_analysis": { analysis: string };
  "conversation.overlap": Overlap;
  "conversation.latency": Latency;
  "conversation.usage": Usage;
  "conversation.error": { message: string; field?: string; value?: string; expected?: string };
  "conversation.ended": { reason: string };
}

export type EventType = keyof ServerEvents;

interface Envelope<Type extends string, Properties> {
  message_type: string;
  event_type: Type;
  conversation_id?: string;
  /** Seconds since 1970. */
  timestamp?: number;
  seq?: number;
  /** How many turns of the person have been answered. */
  turn_idx?: number;
  /** Which reply it belongs to. */
  inference_id?: string;
  properties: Properties;
}

/** One event, with the properties of its type. */
export type MessageOf<Type extends EventType> = Envelope<Type, ServerEvents[Type]>;

/** Any event; `event_type` decides what the properties are. */
export type Message = { [Type in EventType]: MessageOf<Type> }[EventType];

/** Properties of everything that a conversation can be told, by its type. */
export interface Interactions {
  "conversation.echo":
    | { modality: "text"; text: string; inference_id?: string; done?: boolean }
    | { modality: "audio"; audio: string; sample_rate?: number; inference_id?: string; done?: boolean };
  "conversation.respond": { text: string };
  "conversation.interrupt": undefined;
  "conversation.append_llm_context": { context: string; job_status?: string };
  "conversation.overwrite_llm_context": { context: string };
  "conversation.sensitivity":
    | { participant_pause_sensitivity: Sensitivity }
    | { participant_interrupt_sensitivity: Sensitivity };
  "conversation.set_emotion": { emotion: Emotion };
  "conversation.tool_result": {
    tool_call_id: string;
    name: string;
    output: string | Record<string, unknown>;
    status: "success" | "error";
  };
  "conversation.leave": undefined;
  /** Which of our video is what; sent by `Call` itself. */
  "conversation.media": { camera_mid: string | null; screen_mid: string | null };
  "system.pong": undefined;
}

export type InteractionType = keyof Interactions;
