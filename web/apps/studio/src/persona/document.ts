/** A persona as it is edited: what is changed against what is stored, in the shapes that the API wants. */

import type { Json, JsonObject } from "../api/types";

export type Draft = JsonObject;

const OF_THE_SERVER = ["persona_id", "persona_type", "created_at", "updated_at", "data", "warnings", "is_template"];
/** Answers give some fields under a second name too. */
const SECOND_NAMES = ["pal_id", "pal_name", "pal_type", "default_face_id"];

/** What of a stored persona its owner writes. */
export function draftOf(stored: JsonObject): Draft {
  const draft = structuredClone(stored);
  for (const name of [...OF_THE_SERVER, ...SECOND_NAMES]) delete draft[name];
  const flow = at(draft, "layers.conversational_flow");
  if (isObject(flow)) delete flow.face_interruptibility;
  return draft;
}

export const BLANK: Draft = {
  persona_name: "",
  system_prompt: "",
  pipeline_mode: "full",
  context: "",
  greeting: "",
  default_replica_id: null,
  layers: { perception: {}, stt: {}, llm: {}, tts: {}, conversational_flow: {} },
};

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What is at `layers.llm.model`, for example. */
export function at(draft: Draft, path: string): Json | undefined {
  let found: Json | undefined = draft;
  for (const part of path.split(".")) found = isObject(found) ? found[part] : undefined;
  return found;
}

/** `draft` with another value there; without one, the field is taken away. */
export function withValue(draft: Draft, path: string, value: Json | undefined): Draft {
  const [name = "", ...rest] = path.split(".");
  const { [name]: before, ...others } = draft;
  if (rest.length) return { ...draft, [name]: withValue(isObject(before) ? before : {}, rest.join("."), value) };
  return value === undefined ? others : { ...draft, [name]: value };
}

export function same(one: Json | undefined, other: Json | undefined): boolean {
  if (isObject(one) && isObject(other)) {
    const names = new Set([...Object.keys(one), ...Object.keys(other)]);
    return [...names].every((name) => same(one[name], other[name]));
  }
  return JSON.stringify(one) === JSON.stringify(other);
}

/** A JSON Merge Patch (RFC 7396) that leads from one to the other. */
export function mergePatch(from: JsonObject, to: JsonObject): JsonObject {
  const patch: JsonObject = {};
  for (const name of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const [before, after] = [from[name], to[name]];
    if (same(before, after)) continue;
    if (after === undefined) patch[name] = null;
    else patch[name] = isObject(before) && isObject(after) ? mergePatch(before, after) : after;
  }
  return patch;
}

/** A JSON Patch (RFC 6902) of whole top-level fields, and of single layers. */
export function jsonPatch(from: Draft, to: Draft): { op: string; path: string; value?: Json }[] {
  const operations: { op: string; path: string; value?: Json }[] = [];
  const compare = (before: JsonObject, after: JsonObject, inside: string) => {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const [old, now] = [before[name], after[name]];
      const path = `${inside}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      if (same(old, now)) continue;
      if (path === "/layers" && isObject(old) && isObject(now)) compare(old, now, path);
      else if (now === undefined) operations.push({ op: "remove", path });
      else operations.push({ op: "add", path, value: now });
    }
  };
  compare(from, to, "");
  return operations;
}
