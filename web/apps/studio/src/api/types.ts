/** What the API answers, as far as Studio reads it. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json | undefined };
export type JsonObject = { [name: string]: Json | undefined };

export interface Listed<T> {
  data: T[];
  total_count: number;
}

export interface Key {
  key_id: string;
  name: string;
  hint: string;
  scopes: string[];
  networks: string[];
  max_conversations: number | null;
  requests_per_minute: number | null;
  created_at: string | null;
  expires_at: string | null;
  last_used_at: string | null;
  revoked_at: string | null;
}

export interface Persona extends JsonObject {
  persona_id: string;
  persona_name: string;
  persona_type: "user" | "system";
  description?: string;
  system_prompt: string;
  pipeline_mode: string;
  context: string;
  greeting: string;
  default_replica_id: string | null;
  updated_at: string;
}

export interface Tool {
  tool_id: string;
  name: string;
  description: string;
  tool_type: "user" | "system";
  delivery?: { app_message?: boolean; api?: { url: string } };
}

export interface Replica {
  replica_id: string;
  replica_name: string;
  replica_type?: "user" | "system";
  status: "started" | "completed" | "error";
  training_progress: string;
  thumbnail_video_url: string | null;
  model_name: string;
  error_type: string | null;
  error_message: string | null;
  created_at: string;
  properties?: {
    warnings?: string[];
    figures?: Record<string, number>;
    manifest?: { consent?: { kind: string; by: string; text: string; recorded_at: string }; renderer?: string };
  };
}

export interface Conversation {
  conversation_id: string;
  conversation_name: string;
  conversation_url: string;
  status: "active" | "ended";
  persona_id: string | null;
  replica_id: string | null;
  callback_url: string;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
  warnings?: string[];
}

export interface ConversationDetail extends Conversation {
  persona: { persona_name: string };
  replica: { replica_name: string };
  shutdown_reason: string | null;
  events: StoredEvent[];
}

export interface ConversationEvent {
  event_type: string;
  seq: number;
  /** Unix seconds. */
  timestamp: number;
  turn_idx: number;
  inference_id?: string;
  properties?: Record<string, unknown>;
}

export type StoredEvent = Omit<ConversationEvent, "timestamp"> & { timestamp: string };

export interface Said {
  role: "system" | "user" | "assistant";
  content: string;
  timestamp: number;
  seconds_from_start: number;
  duration: number;
  interrupted?: boolean;
}

export interface Turn {
  turn_idx: number;
  timestamp: number;
  utterance_to_utterance_ms: number | null;
  stages: Record<string, number>;
}

export interface Latency {
  turns: Turn[];
  utterance_to_utterance_p50_ms: number | null;
  utterance_to_utterance_p95_ms: number | null;
}

export interface Delivery {
  delivery_id: string;
  status: "pending" | "delivered" | "dead";
  event_type: string;
  conversation_id: string | null;
  url: string;
  attempts: number;
  last_error: string | null;
  created_at: string;
  next_attempt_at: string | null;
  finished_at: string | null;
  body?: Json;
}

export type Used = Record<string, { times: number; quantity: number }>;

export interface Usage {
  start: string;
  end: string;
  conversation_minutes: number;
  usage: Used;
  days?: { day: string; usage: Used }[];
}

export interface Limits {
  requests_per_minute: number | null;
  max_conversations: number | null;
  active_conversations: number;
  server: { max_conversations: number | string; max_request_mb: number; max_upload_mb: number };
}

export interface Remark {
  about: "person" | "size" | "place" | "angle" | "light";
  text: string;
  must: boolean;
}

export interface CheckedPicture {
  width: number;
  height: number;
  faces: number;
  box: [number, number, number, number] | null;
  brightness: number;
  remarks: Remark[];
}
