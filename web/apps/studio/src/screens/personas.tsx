/** @jsxImportSource preact */
/** Your personas, and templates to begin with. */

import { get } from "../api/http";
import { useLoad } from "../api/load";
import type { Listed, Persona, Replica } from "../api/types";
import { ago } from "../format";
import { Empty, Head, LinkButton, Waiting } from "../parts/basics";
import { CodeButton } from "../parts/code";
import { Film } from "../parts/film";
import { Icon } from "../parts/icon";
import { link } from "../router";

interface Everybody {
  own: Persona[];
  templates: Persona[];
  replicas: Replica[];
}

async function everybody(signal: AbortSignal): Promise<Everybody> {
  const [own, system, replicas] = await Promise.all([
    get<Listed<Persona>>("personas?limit=100&persona_type=user", signal),
    get<Listed<Persona>>("personas?limit=100&persona_type=system", signal),
    get<Listed<Replica>>("replicas?limit=100", signal),
  ]);
  return { own: own.data, templates: system.data.filter((one) => one.persona_id !== "pdemo"), replicas: replicas.data };
}

export function Personas() {
  const { data, error, reload } = useLoad(everybody, []);
  return (
    <>
      <Head title="Personas" about="Who speaks: a prompt, a greeting, manners and a face.">
        <CodeButton requests={() => [{ method: "GET", path: "personas", what: "List personas" }]} />
        <LinkButton kind="main" icon="plus" to="personas/new">New persona</LinkButton>
      </Head>
      {!data ? (
        <Waiting error={error} again={reload} />
      ) : (
        <>
          {data.own.length === 0 ? (
            <Empty icon="persona" title="Your first persona"><p class="quiet">Choose a template below, change what you like, and talk with it at once.</p></Empty>
          ) : (
            <ul class="cards">
              {data.own.map((one) => (
                <PersonaCard key={one.persona_id} persona={one} replica={data.replicas.find((face) => face.replica_id === (one.default_replica_id ?? "rmira"))} to={`personas/${one.persona_id}`} note={`changed ${ago(one.updated_at)}`} />
              ))}
            </ul>
          )}
          <h2>Templates</h2>
          <Templates everybody={data} />
        </>
      )}
    </>
  );
}

export function NewPersona() {
  const { data, error, reload } = useLoad(everybody, []);
  return (
    <>
      <Head title="New persona" about="Start from what is closest; everything can be changed." back={{ to: "personas", label: "Personas" }} />
      {data ? <Templates everybody={data} blank /> : <Waiting error={error} again={reload} />}
    </>
  );
}

function Templates({ everybody: { templates }, blank }: { everybody: Everybody; blank?: boolean }) {
  return (
    <ul class="cards templates">
      {blank && (
        <li>
          <a class="sheet card" href={link("personas/new?blank=1")}>
            <Icon name="plus" size={24} />
            <b>Blank</b>
            <span class="quiet small">Write everything yourself.</span>
          </a>
        </li>
      )}
      {templates.map((one) => (
        <li key={one.persona_id}>
          <a class="sheet card" href={link(`personas/new?template=${one.persona_id}`)}>
            <span class="initial" aria-hidden="true">{one.persona_name.slice(0, 1)}</span>
            <b>{one.persona_name}</b>
            <span class="quiet small">{one.description}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

function PersonaCard({ persona, replica, to, note }: { persona: Persona; replica: Replica | undefined; to: string; note: string }) {
  return (
    <li>
      <a class="sheet card with-film" href={link(to)}>
        <Film replica={replica} lively={false} />
        <span class="card-words">
          <b>{persona.persona_name}</b>
          <span class="quiet small clamp">{persona.description || persona.system_prompt || "Says what a program sends it."}</span>
          <span class="quiet small">{note}</span>
        </span>
      </a>
    </li>
  );
}
