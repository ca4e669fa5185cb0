/** @jsxImportSource preact */
/** A call, and beside it what happens in it. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { follow } from "../api/events";
import { address } from "../api/http";
import type { ConversationEvent } from "../api/types";
import { milliseconds } from "../format";
import { Tabs } from "../parts/basics";
import { LatencyBars, Waterfall } from "../parts/waterfall";
import { EventList } from "./event_list";
import { Transcript } from "./lines";
import { storyOf, type Story } from "./story";

export interface Live {
  events: ConversationEvent[];
  story: Story;
}

export function useLive(conversationId: string | undefined): Live {
  const [events, setEvents] = useState<ConversationEvent[]>([]);
  useEffect(() => {
    setEvents([]);
    if (!conversationId) return undefined;
    const over = new AbortController();
    void follow(conversationId, (event) => setEvents((before) => [...before, event]), over.signal);
    return () => over.abort();
  }, [conversationId]);
  return { events, story: useMemo(() => storyOf(events), [events]) };
}

export function CallFrame({ conversationId, name }: { conversationId: string; name: string }) {
  return (
    <iframe
      class="call-frame"
      title={`Call with ${name}`}
      src={address(`c/${conversationId}?embed=1`)}
      allow="microphone; camera; autoplay; display-capture; fullscreen; picture-in-picture"
    />
  );
}

const VIEWS = [
  { name: "turns", label: "Turns" },
  { name: "latency", label: "Latency" },
  { name: "events", label: "Events" },
] as const;

export function LivePanel({ live: { events, story }, name }: { live: Live; name: string }) {
  const [view, setView] = useState<(typeof VIEWS)[number]["name"]>("turns");
  return (
    <section class="live" aria-label="What happens in the call">
      <Tabs label="What happens in the call" tabs={VIEWS} chosen={view} choose={setView} />
      {view === "turns" && <Turns story={story} name={name} />}
      {view === "latency" && <Speeds story={story} />}
      {view === "events" && (events.length ? <EventList events={events} began={story.began} following /> : <Nothing />)}
    </section>
  );
}

function Turns({ story, name }: { story: Story; name: string }) {
  const box = useRef<HTMLDivElement>(null);
  const length = story.lines.map((line) => line.text).join("").length;
  useEffect(() => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [length]);
  return (
    <div class="scroll" ref={box} tabIndex={0} role="log" aria-label="Transcript">
      {story.lines.length ? <Transcript lines={story.lines} name={name} began={story.began} /> : <Nothing />}
    </div>
  );
}

function Speeds({ story }: { story: Story }) {
  const [chosen, setChosen] = useState<number>();
  const turn = story.turns.find((one) => one.timestamp === chosen) ?? story.turns.at(-1);
  if (!turn) return <Nothing text="After the first answer you see here what took how long." />;
  return (
    <div class="scroll" tabIndex={0}>
      <LatencyBars turns={story.turns} chosen={turn.timestamp} choose={(one) => setChosen(one.timestamp)} />
      <h3>
        Turn {turn.turn_idx} <span class="quiet">{milliseconds(turn.utterance_to_utterance_ms)} from the last word to the first sound</span>
      </h3>
      <Waterfall turn={turn} />
    </div>
  );
}

function Nothing({ text = "Join the call and speak: what is said appears here." }: { text?: string }) {
  return <p class="quiet pad">{text}</p>;
}
