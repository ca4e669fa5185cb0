/** @jsxImportSource preact */
/** A new replica: who it is, from what, and that the person agreed. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { ApiError, get, upload } from "../api/http";
import { useLoad } from "../api/load";
import type { Limits, Replica } from "../api/types";
import { Button, Head, Notice } from "../parts/basics";
import { CodeButton } from "../parts/code";
import { Icon, type IconName } from "../parts/icon";
import { say } from "../parts/toast";
import { go } from "../router";
import { Recorder } from "./recorder";
import { statement } from "./script";

type Source = "record" | "video" | "photo" | "bundle";
type Consent = "spoken" | "recording" | "declared";

const SOURCES: { source: Source; icon: IconName; title: string; about: string }[] = [
  { source: "record", icon: "record", title: "Record yourself", about: "Two minutes with your camera, text to read included. The best likeness." },
  { source: "video", icon: "upload", title: "Upload a video", about: "One to five minutes of one person who speaks into the camera." },
  { source: "photo", icon: "photo", title: "One photo", about: "Ready in a minute; the mouth is drawn, so it looks less like the person." },
  { source: "bundle", icon: "download", title: "A .replica file", about: "Made before, here or on another machine." },
];

const GOOD: Record<"video" | "photo", string[]> = {
  video: ["One person, head and shoulders, looking into the camera", "Light from the front, a calm background, nothing before the mouth", "Clear speech, one smile that shows the teeth, some seconds of silence", "One take without cuts, with sound; 2 minutes or more are best"],
  photo: ["One person from the front, both eyes open", "Sharp, lit from the front, nothing before the face", "Lips closed, or a smile; some room around the head"],
};

export function MakeReplica() {
  const [source, setSource] = useState<Source>("record");
  const [name, setName] = useState("");
  const [file, setFile] = useState<Blob | null>(null);
  const [consent, setConsent] = useState<Consent>("spoken");
  const [said, setSaid] = useState<File | null>(null);
  const [person, setPerson] = useState("");
  const [agreed, setAgreed] = useState(false);
  const [share, setShare] = useState<number | null>(null);
  const [error, setError] = useState<{ field: string; text: string } | null>(null);
  const limits = useLoad((signal) => get<Limits>("limits", signal), []).data;
  const over = useRef(new AbortController());
  useEffect(() => () => over.current.abort(), []);

  const choose = (next: Source) => {
    setSource(next);
    setFile(null);
    setError(null);
    setConsent(next === "photo" ? "declared" : "spoken");
  };
  const submit = async () => {
    const wrong = missing({ source, name, file, consent, said, person, agreed, most: limits?.server.max_upload_mb });
    setError(wrong);
    if (wrong || !file) return;
    const form = formOf({ source, name, file, consent, said, person });
    setShare(0);
    try {
      const made = await upload<Replica>("replicas", form, setShare, over.current.signal);
      say(made.status === "completed" ? "Replica added" : "Training begins");
      go(`replicas/${made.replica_id}`);
    } catch (failed) {
      setShare(null);
      if (failed instanceof ApiError) setError({ field: FIELD[failed.field ?? ""] ?? "all", text: failed.message });
    }
  };
  const wrong = (field: string) => error?.field === field && <p class="error" role="alert">{error.text}</p>;
  return (
    <>
      <Head title="New replica" about="A face that speaks and listens, made on this machine. Nothing is uploaded anywhere else." back={{ to: "replicas", label: "Replicas" }}>
        <CodeButton requests={() => [{ method: "POST", path: "replicas", body: { train_video_url: "https://example.com/video.mp4", replica_name: name || "Ines", properties: { consent_declaration: person || "Ines Okafor" } }, what: "Train a replica" }]} />
      </Head>
      <fieldset class="sources">
        <legend class="unseen">Made from</legend>
        {SOURCES.map((one) => (
          <label key={one.source} class="sheet">
            <input type="radio" name="source" checked={source === one.source} onChange={() => choose(one.source)} />
            <Icon name={one.icon} size={24} />
            <b>{one.title}</b>
            <span class="quiet small">{one.about}</span>
          </label>
        ))}
      </fieldset>
      <div class="make">
        <section class="sheet pad" aria-label="Material">
          {source === "record" ? (
            <Recorder name={person || name} recorded={setFile} />
          ) : (
            <Pick key={source} source={source} file={file as File | null} pick={setFile} />
          )}
          {wrong("file")}
        </section>
        <section class="sheet pad" aria-label="Details">
          <div class="field">
            <label for="replica-name">Name of the replica</label>
            <input id="replica-name" value={name} placeholder="Ines" onInput={(event) => setName(event.currentTarget.value)} />
            {wrong("name")}
          </div>
          {source !== "bundle" && (
            <Agreement source={source} consent={consent} setConsent={setConsent} person={person} setPerson={setPerson} agreed={agreed} setAgreed={setAgreed} setSaid={setSaid} wrong={wrong} />
          )}
          {error?.field === "all" && <Notice kind="bad"><p>{error.text}</p></Notice>}
          {share === null ? (
            <Button kind="main" onClick={submit}>{source === "bundle" ? "Add replica" : "Make replica"}</Button>
          ) : (
            <div class="sending"><progress max={1} value={share} aria-label="Upload" /><span class="quiet small">{share < 1 ? `Sending: ${Math.round(share * 100)} %` : "Storing…"}</span></div>
          )}
        </section>
      </div>
    </>
  );
}

interface AgreementProps {
  source: Source;
  consent: Consent;
  setConsent: (consent: Consent) => void;
  person: string;
  setPerson: (person: string) => void;
  agreed: boolean;
  setAgreed: (agreed: boolean) => void;
  setSaid: (file: File | null) => void;
  wrong: (field: string) => preact.ComponentChildren;
}

function Agreement({ source, consent, setConsent, person, setPerson, agreed, setAgreed, setSaid, wrong }: AgreementProps) {
  const ways: { consent: Consent; label: string }[] = [
    ...(source === "photo" ? [] : [{ consent: "spoken" as const, label: source === "record" ? "I say it at the beginning of the recording" : "It is said at the beginning of the video" }]),
    ...(source === "record" ? [] : [{ consent: "recording" as const, label: "It is said in another recording" }]),
    { consent: "declared", label: "The person agreed in another way, such as in writing" },
  ];
  return (
    <fieldset class="field consent">
      <legend>Consent</legend>
      <p class="hint">A replica needs the agreement of the person who is seen. It is kept in the replica's file.</p>
      <div class="field">
        <label for="person">Full name of the person</label>
        <input id="person" value={person} placeholder="Ines Okafor" autoComplete="name" onInput={(event) => setPerson(event.currentTarget.value)} />
        {wrong("person")}
      </div>
      {ways.map((way) => (
        <label class="check" key={way.consent}>
          <input type="radio" name="consent" checked={consent === way.consent} onChange={() => setConsent(way.consent)} />
          <span>{way.label}</span>
        </label>
      ))}
      {consent !== "declared" && <blockquote>“{statement(person)}”</blockquote>}
      {consent === "recording" && (
        <div class="field"><label for="said">Recording of the statement</label><input id="said" type="file" accept="audio/*,video/*" onChange={(event) => setSaid(event.currentTarget.files?.[0] ?? null)} />{wrong("said")}</div>
      )}
      <label class="check">
        <input type="checkbox" checked={agreed} onChange={(event) => setAgreed(event.currentTarget.checked)} />
        <span>{person || "The person"} agreed that a replica is made and used.</span>
      </label>
      {wrong("agreed")}
    </fieldset>
  );
}

const ACCEPTED: Record<Exclude<Source, "record">, string> = { video: "video/*,.mkv", photo: "image/jpeg,image/png,image/webp", bundle: ".replica" };

function Pick({ source, file, pick }: { source: Exclude<Source, "record">; file: File | null; pick: (file: File | null) => void }) {
  const [over, setOver] = useState(false);
  const url = useMemo(() => (file && source !== "bundle" ? URL.createObjectURL(file) : null), [file]);
  useEffect(() => () => { if (url) URL.revokeObjectURL(url); }, [url]);
  const dropped = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    pick(event.dataTransfer?.files[0] ?? null);
  };
  return (
    <>
      <label class={`drop ${over ? "over" : ""} ${file ? "has" : ""}`} onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={dropped}>
        <input type="file" class="unseen" accept={ACCEPTED[source]} onChange={(event) => pick(event.currentTarget.files?.[0] ?? null)} />
        {url && source === "photo" && <img src={url} alt="The chosen photo" />}
        {url && source === "video" && <video src={url} muted playsInline controls aria-label="The chosen video" />}
        {file ? <span><b>{file.name}</b> <span class="quiet">{(file.size / 2 ** 20).toFixed(1)} MiB · choose another</span></span> : <><Icon name={source === "photo" ? "photo" : "upload"} size={32} /><span><b>Choose a file</b> or drop it here</span></>}
      </label>
      {source !== "bundle" && <><h3>What is good</h3><ul class="plain-list">{GOOD[source].map((line) => <li key={line}>{line}</li>)}</ul></>}
    </>
  );
}

/** Where the form shows what the server says of a field. */
const FIELD: Record<string, string> = {
  replica_name: "name",
  train_video: "file",
  train_image: "file",
  bundle: "file",
  consent_video: "said",
  "properties.consent_declaration": "person",
};

interface Filled {
  source: Source;
  name: string;
  file: Blob | null;
  consent: Consent;
  said: File | null;
  person: string;
}

function missing({ source, name, file, consent, said, person, agreed, most }: Filled & { agreed: boolean; most: number | undefined }): { field: string; text: string } | null {
  if (!file) return { field: "file", text: source === "record" ? "Record yourself first." : "Choose a file first." };
  if (most && file.size > most * 2 ** 20) return { field: "file", text: `The file is larger than ${most} MiB, which this server takes at most.` };
  if (source === "bundle") return null;
  if (!name.trim()) return { field: "name", text: "Give it a name." };
  if (!person.trim()) return { field: "person", text: "Name the person who is seen." };
  if (consent === "recording" && !said) return { field: "said", text: "Choose the recording." };
  if (!agreed) return { field: "agreed", text: "Without consent no replica is made." };
  return null;
}

function formOf({ source, name, file, consent, said, person }: Filled): FormData {
  const form = new FormData();
  if (name.trim()) form.set("replica_name", name.trim());
  if (source !== "bundle" && consent === "declared") form.set("consent_declaration", person.trim());
  if (source !== "bundle" && consent === "recording" && said) form.set("consent_video", said);
  const field = { record: "train_video", video: "train_video", photo: "train_image", bundle: "bundle" }[source];
  if (file) form.set(field, file, file instanceof File ? file.name : "recording.webm");
  return form;
}
