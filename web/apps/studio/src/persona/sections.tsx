/** @jsxImportSource preact */
/** The parts of a persona's form. */

import type { Replica } from "../api/types";
import { Film } from "../parts/film";
import { link } from "../router";
import { at } from "./document";
import { ChoiceField, LinesField, SwitchField, TextField, useForm, useSaid } from "./form";

export function Character() {
  const { draft } = useForm();
  const echo = at(draft, "pipeline_mode") === "echo";
  return (
    <>
      <TextField path="persona_name" label="Name" hint="Shown in the call." placeholder="Ines" most={200} />
      <ChoiceField
        path="pipeline_mode"
        label="What it does"
        usual="full"
        options={[
          { value: "full", label: "Converses", about: "It listens, thinks and answers by itself." },
          { value: "echo", label: "Echoes", about: "It says exactly what a program sends it. Nobody answers but your program." },
        ]}
      />
      {!echo && (
        <>
          <TextField
            path="system_prompt"
            label="Prompt"
            hint="Who it is, what it knows, and how it behaves, in plain sentences. Address it as “you”."
            placeholder="You are Ines, a cheerful guide at the Harbour Museum in Porto Alto…"
            lines={10}
            most={100_000}
          />
          <TextField
            path="context"
            label="Context"
            hint="Further facts, such as today's offers. They follow the prompt."
            placeholder="Today hall three is closed."
            lines={3}
            most={100_000}
          />
        </>
      )}
      <TextField
        path="greeting"
        label="Greeting"
        hint="Said when somebody joins. Leave it empty to let the person begin."
        placeholder="Welcome! What would you like to see?"
        lines={2}
        most={4_000}
      />
    </>
  );
}

export function Face({ replicas }: { replicas: Replica[] }) {
  const { draft, set, readOnly } = useForm();
  const chosen = at(draft, "default_replica_id") ?? "rmira";
  const { error } = useSaid("default_replica_id");
  return (
    <fieldset class="field" disabled={readOnly}>
      <legend>Replica</legend>
      <p class="hint">Who is seen in the call.</p>
      <div class="face-choice">
        {replicas.map((replica) => (
          <label key={replica.replica_id} class={replica.status === "completed" ? "" : "not-yet"}>
            <input
              type="radio"
              name="replica"
              checked={chosen === replica.replica_id}
              disabled={replica.status !== "completed"}
              onChange={() => set("default_replica_id", replica.replica_id)}
            />
            <Film replica={replica} lively={chosen === replica.replica_id} />
            <span>{replica.replica_name}</span>
            {replica.status === "started" && <span class="quiet small">in training</span>}
          </label>
        ))}
      </div>
      {error && <p class="error">{error}</p>}
      <p>
        <a href={link("replicas/new")}>Make a replica of yourself</a>
      </p>
    </fieldset>
  );
}

const FLOW = "layers.conversational_flow";

export function Manners() {
  return (
    <>
      <ChoiceField
        path={`${FLOW}.turn_taking_patience`}
        label="Patience"
        usual="medium"
        options={[
          { value: "low", label: "Quick", about: "Answers soonest, and may cut in on people who think aloud." },
          { value: "medium", label: "Balanced", about: "Waits through short pauses." },
          { value: "high", label: "Patient", about: "Gives people time to think: for teaching, interviews and health." },
        ]}
      />
      <ChoiceField
        path={`${FLOW}.replica_interruptibility`}
        label="Interruptions"
        usual="medium"
        options={[
          { value: "low", label: "Hard", about: "Goes on until it hears whole words: for noisy places." },
          { value: "medium", label: "Balanced", about: "“Mhm” does not stop it, “wait” does." },
          { value: "high", label: "Easy", about: "Stops at nearly every sound of the person." },
        ]}
      />
      <ChoiceField
        path={`${FLOW}.idle_engagement`}
        label="When nobody speaks"
        usual="off"
        options={[
          { value: "off", label: "Waits", about: "It waits for the person, however long." },
          { value: "patient", label: "Asks after 25 s", about: "It speaks up after 25 seconds of silence." },
          { value: "eager", label: "Asks after 10 s", about: "It speaks up after 10 seconds of silence." },
        ]}
      />
      <SwitchField path={`${FLOW}.greeting_interruptible`} label="The greeting can be interrupted" usual={true} />
      <SwitchField path={`${FLOW}.active_listening`} label="Nods while it listens" usual={true} />
      <SwitchField path={`${FLOW}.openers`} label="Bridges long waits" hint="Begins with a short “well,” when the reply takes long." usual={true} />
      <SwitchField
        path={`${FLOW}.speculation`}
        label="Prepares replies early"
        hint="Starts to think before the person has finished. Faster; costs a vendor's tokens."
        usual={true}
      />
      <details class="more">
        <summary>Wake and sleep phrases</summary>
        <TextField path={`${FLOW}.wake_phrase`} label="Wake phrase" hint="It answers only after it has heard this." placeholder="Hello Ines" most={100} optional />
        <TextField path={`${FLOW}.sleep_phrase`} label="Sleep phrase" hint="After this it stays silent until it is woken." placeholder="Goodbye Ines" most={100} optional />
      </details>
    </>
  );
}

export function Engines({ voices }: { voices: string[] }) {
  return (
    <>
      <h3>Language model</h3>
      <p class="hint">Empty: the model built into this server. Or any OpenAI-compatible address.</p>
      <TextField path="layers.llm.base_url" label="Address" type="url" placeholder="https://api.example.com/v1" optional />
      <TextField path="layers.llm.model" label="Model" placeholder="name of the model there" optional />
      <TextField
        path="layers.llm.api_key"
        label="API key of that address"
        hint="Stored encrypted, never shown again. A new address needs it again."
        type="password"
        optional
      />
      <SwitchField path="layers.llm.speculative_inference" label="May be asked early" hint="Before the person has finished; costs tokens." usual={true} />
      <h3>Voice</h3>
      <TextField path="layers.tts.tts_engine" label="Engine" hint="Empty: the built-in voice, or the replica's own." placeholder="built-in" optional />
      <TextField path="layers.tts.external_voice_id" label="Voice" known={voices} placeholder={voices[0] ?? "a voice of that engine"} optional />
      <TextField path="layers.tts.api_key" label="API key of that engine" type="password" optional />
      <h3>Recognition</h3>
      <TextField path="layers.stt.stt_engine" label="Engine" hint="Empty: the built-in recogniser." placeholder="built-in" optional />
      <TextField path="layers.stt.hotwords" label="Words to listen for" hint="Names and terms, with commas between." optional />
    </>
  );
}

const SEEING = "layers.perception";

export function Perception() {
  return (
    <>
      <p class="hint">What the persona notices in the person's camera, where the person turns it on.</p>
      <ChoiceField
        path={`${SEEING}.perception_model`}
        label="Sight"
        usual="auto"
        options={[
          { value: "auto", label: "On", about: "Expressions, nods, gaze and gestures reach the language model as short notes. No picture leaves this machine." },
          { value: "off", label: "Off", about: "The camera is not looked at." },
        ]}
      />
      <LinesField
        path={`${SEEING}.perception_analysis_queries`}
        label="Questions for the end of the call"
        hint="One a line. Answered in the conversation's notes."
        placeholder="Did the person seem satisfied?"
      />
    </>
  );
}
