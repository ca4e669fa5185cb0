/** @jsxImportSource preact */
/** The first screen: talk now, and where to go from here. */

import { useState } from "preact/hooks";

import { get } from "../api/http";
import { useLoad } from "../api/load";
import type { Conversation, Listed, Persona, Replica, Usage } from "../api/types";
import { TestCall } from "../conversation/test_call";
import { Head, LinkButton, Waiting } from "../parts/basics";
import { CodeButton } from "../parts/code";
import { Icon, type IconName } from "../parts/icon";
import { ShareButton } from "../parts/share";
import { link } from "../router";
import { ConversationTable } from "./conversations";

export function Home() {
  const { data, error, reload } = useLoad(
    async (signal) => {
      const [personas, replicas, conversations, usage] = await Promise.all([
        get<Listed<Persona>>("personas?limit=100", signal),
        get<Listed<Replica>>("replicas?limit=100&verbose=true", signal),
        get<Listed<Conversation>>("conversations?limit=5", signal),
        get<Usage>("usage", signal),
      ]);
      return { personas: personas.data, replicas: replicas.data, conversations: conversations.data, usage };
    },
    [],
  );
  if (!data) return <Waiting error={error} again={reload} lines={8} />;
  return <Welcome {...data} />;
}

interface WelcomeProps {
  personas: Persona[];
  replicas: Replica[];
  conversations: Conversation[];
  usage: Usage;
}

function Welcome({ personas, replicas, conversations, usage }: WelcomeProps) {
  const [chosen, setChosen] = useState(personas[0]?.persona_id ?? "pdemo");
  const [face, setFace] = useState("");
  const persona = personas.find((one) => one.persona_id === chosen);
  const replicaId = face || persona?.default_replica_id || "rmira";
  const ready = replicas.filter((one) => one.status === "completed");
  const body = { persona_id: chosen, replica_id: replicaId };
  const calls = usage.usage.conversation_seconds?.times ?? 0;
  return (
    <>
      <Head title="Home" about="Live video calls with somebody who listens, thinks and answers, on your own machine.">
        <CodeButton requests={() => [{ method: "POST", path: "conversations", body, what: "A call; the answer has its link" }]} />
        <ShareButton body={body} name={persona?.persona_name ?? "them"} />
      </Head>
      <div class="home">
        <section class="sheet pad choose" aria-label="Talk now">
            <h2>Talk now</h2>
            <div class="field">
              <label for="who">With</label>
              <select id="who" value={chosen} onChange={(event) => { setChosen(event.currentTarget.value); setFace(""); }}>
                {personas.map((one) => <option key={one.persona_id} value={one.persona_id}>{one.persona_name}</option>)}
              </select>
            </div>
            <div class="field">
              <label for="face">Seen as</label>
              <select id="face" value={replicaId} onChange={(event) => setFace(event.currentTarget.value)}>
                {ready.map((one) => <option key={one.replica_id} value={one.replica_id}>{one.replica_name}</option>)}
              </select>
            </div>
            <p class="quiet about">{persona?.description ?? persona?.greeting}</p>
          </section>
          <nav class="steps" aria-label="Next steps">
            <Step icon="persona" to="personas/new" title="Make a persona" about="Start from a template: tutor, sales, support, interview…" />
            <Step icon="replica" to="replicas/new" title="Make a replica" about="From a video of yourself, or from one photo." />
            <Step icon="key" to="keys" title="Connect your app" about="Make an API key, and copy code from any screen." />
          </nav>
        <TestCall key={`${chosen} ${replicaId}`} begin={() => body} name={persona?.persona_name ?? "them"} label="Talk now" about="A video call here in this page. It needs your microphone." replica={replicas.find((one) => one.replica_id === replicaId)} />
      </div>
      <dl class="facts">
        <div><dt>Calls this month</dt><dd>{calls}</dd></div>
        <div><dt>Minutes this month</dt><dd>{usage.conversation_minutes.toFixed(1)}</dd></div>
        <div><dt>Personas of yours</dt><dd>{personas.filter((one) => one.persona_type === "user").length}</dd></div>
        <div><dt>Replicas</dt><dd>{ready.length}</dd></div>
      </dl>
      {conversations.length > 0 && (
        <section>
          <div class="section-head">
            <h2>Latest conversations</h2>
            <LinkButton kind="quiet" to="conversations">All</LinkButton>
          </div>
          <ConversationTable conversations={conversations} />
        </section>
      )}
    </>
  );
}

function Step({ icon, to, title, about }: { icon: IconName; to: string; title: string; about: string }) {
  return (
    <a class="sheet step" href={link(to)}>
      <Icon name={icon} size={24} />
      <span><b>{title}</b><span class="quiet small">{about}</span></span>
      <Icon name="next" size={16} />
    </a>
  );
}
