/** @jsxImportSource preact */
/** The frame around every screen: who is signed in, where one can go, and what is shown. */

import { useCallback, useEffect, useState } from "preact/hooks";

import { ApiError, forgetKey, get, hasKey } from "./api/http";
import type { Key } from "./api/types";
import { Empty, IconButton, LinkButton } from "./parts/basics";
import { Icon, type IconName } from "./parts/icon";
import { Toasts } from "./parts/toast";
import { PersonaEditor } from "./persona/editor";
import { MakeReplica } from "./replica/make";
import { link, usePlace, type Place } from "./router";
import { ConversationScreen } from "./screens/conversation";
import { Conversations } from "./screens/conversations";
import { Home } from "./screens/home";
import { Keys } from "./screens/keys";
import { NewPersona, Personas } from "./screens/personas";
import { Replicas, ReplicaScreen } from "./screens/replicas";
import { SignIn } from "./screens/sign_in";
import { UsageScreen } from "./screens/usage";
import { Webhooks } from "./screens/webhooks";

type Session = { state: "asking" } | { state: "out"; problem: string } | { state: "in"; key: Key };

export function App() {
  const [session, setSession] = useState<Session>({ state: "asking" });
  const enter = useCallback(async () => setSession({ state: "in", key: await get<Key>("keys/current") }), []);
  useEffect(() => {
    enter().catch((error: Error) => {
      const refused = error instanceof ApiError && error.status === 401;
      if (refused) forgetKey();
      setSession({ state: "out", problem: refused ? "" : error.message });
    });
  }, [enter]);
  if (session.state === "asking") return <p class="unseen" role="status">Loading</p>;
  if (session.state === "out") return <SignIn enter={enter} problem={session.problem} />;
  return <House name={session.key} leave={() => { forgetKey(); setSession({ state: "out", problem: "" }); }} />;
}

const ROOMS: { to: string; label: string; icon: IconName; group?: string }[] = [
  { to: "", label: "Home", icon: "home" },
  { to: "personas", label: "Personas", icon: "persona" },
  { to: "replicas", label: "Replicas", icon: "replica" },
  { to: "conversations", label: "Conversations", icon: "conversation" },
  { to: "keys", label: "API keys", icon: "key", group: "For developers" },
  { to: "webhooks", label: "Webhooks", icon: "webhook" },
  { to: "usage", label: "Usage", icon: "usage" },
];

function House({ name, leave }: { name: Key; leave: () => void }) {
  const place = usePlace();
  const [open, setOpen] = useState(false);
  const room = place.parts[0] ?? "";
  const address = place.parts.join("/");
  useEffect(() => {
    setOpen(false);
    scrollTo(0, 0);
    document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true });
  }, [address]);
  return (
    <div class="house">
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>Skip to content</a>
      <header class="top-bar">
        <Brand />
        <IconButton icon={open ? "close" : "menu"} label={open ? "Close menu" : "Menu"} aria-expanded={open} aria-controls="rooms" onClick={() => setOpen(!open)} />
      </header>
      <nav id="rooms" class={`rooms ${open ? "open" : ""}`} aria-label="Studio">
        <Brand />
        <ul>
          {ROOMS.map((one) => (
            <li key={one.to} class={one.group ? "grouped" : ""}>
              {one.group && <span class="group">{one.group}</span>}
              <a href={link(one.to)} aria-current={one.to === room ? "page" : undefined}>
                <Icon name={one.icon} />
                {one.label}
              </a>
            </li>
          ))}
        </ul>
        <div class="foot">
          <Theme />
          <span class="quiet small who" title={name.name}>{name.key_id === "dev" ? "Development mode" : name.name}</span>
          {hasKey() && <IconButton icon="out" label="Sign out" onClick={leave} />}
        </div>
      </nav>
      <main id="main" tabIndex={-1}>
        <Screen place={place} />
      </main>
      <Toasts />
    </div>
  );
}

function Brand() {
  return (
    <a class="brand" href={link("")}>
      <span class="mark" aria-hidden="true" />
      <b>visavis</b> <span>Studio</span>
    </a>
  );
}

function Screen({ place: { parts, query } }: { place: Place }) {
  const [room, id] = parts;
  if (!room) return <Home />;
  if (room === "personas" && id === "new") {
    const template = query.get("template") ?? undefined;
    return template || query.has("blank") ? <PersonaEditor template={template} /> : <NewPersona />;
  }
  if (room === "personas") return id ? <PersonaEditor id={id} /> : <Personas />;
  if (room === "replicas" && id === "new") return <MakeReplica />;
  if (room === "replicas") return id ? <ReplicaScreen id={id} /> : <Replicas />;
  if (room === "conversations") return id ? <ConversationScreen id={id} /> : <Conversations />;
  if (room === "keys") return <Keys />;
  if (room === "webhooks") return <Webhooks />;
  if (room === "usage") return <UsageScreen />;
  return (
    <Empty icon="warn" title="There is nothing here">
      <LinkButton kind="main" to="">Home</LinkButton>
    </Empty>
  );
}

const THEMES = ["system", "light", "dark"] as const;
const STORED = "visavis.studio.theme";

function Theme() {
  const [theme, setTheme] = useState(() => localStorage.getItem(STORED) ?? "system");
  useEffect(() => {
    localStorage.setItem(STORED, theme);
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return (
    <select class="theme" aria-label="Colours" value={theme} onChange={(event) => setTheme(event.currentTarget.value)}>
      {THEMES.map((one) => <option key={one} value={one}>{one.charAt(0).toUpperCase() + one.slice(1)}</option>)}
    </select>
  );
}
