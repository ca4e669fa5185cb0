/** @jsxImportSource preact */
/** Small pieces that every screen is put together from. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { Icon, type IconName } from "./icon";
import { link } from "../router";

interface ButtonProps extends Omit<JSX.ButtonHTMLAttributes<HTMLButtonElement>, "icon"> {
  kind?: "main" | "second" | "quiet" | "danger";
  icon?: IconName;
}

export function Button({ kind = "second", icon, children, class: more = "", ...rest }: ButtonProps) {
  return (
    <button type="button" class={`button ${kind} ${more}`} {...rest}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

export function IconButton({ icon, label, ...rest }: { icon: IconName; label: string } & JSX.ButtonHTMLAttributes<HTMLButtonElement>) {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  );
}

export function LinkButton({ to, kind = "second", icon, children }: { to: string; kind?: "main" | "second" | "quiet"; icon?: IconName; children: ComponentChildren }) {
  return (
    <a class={`button ${kind}`} href={link(to)}>
      {icon && <Icon name={icon} />}
      {children}
    </a>
  );
}

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    const timer = copied ? setTimeout(() => setCopied(false), 2_000) : 0;
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => navigator.clipboard.writeText(text).then(() => setCopied(true), () => undefined);
  return (
    <Button kind="second" class="small" icon={copied ? "check" : "copy"} onClick={copy}>
      <span aria-live="polite">{copied ? "Copied" : label}</span>
    </Button>
  );
}

/** The head of a screen: its name, what it is, and what can be done. */
export function Head({ title, about, back, children }: { title: string; about?: ComponentChildren; back?: { to: string; label: string }; children?: ComponentChildren }) {
  useEffect(() => {
    document.title = `${title} · visavis Studio`;
  }, [title]);
  return (
    <header class="head">
      <div class="head-words">
        {back && (
          <a class="back" href={link(back.to)}>
            <Icon name="back" size={16} />
            {back.label}
          </a>
        )}
        <h1 tabIndex={-1}>{title}</h1>
        {about && <p class="quiet">{about}</p>}
      </div>
      {children && <div class="actions">{children}</div>}
    </header>
  );
}

export function Chip({ kind = "plain", children }: { kind?: "plain" | "good" | "busy" | "bad"; children: ComponentChildren }) {
  return <span class={`chip ${kind}`}>{children}</span>;
}

export function Notice({ kind = "note", children }: { kind?: "note" | "bad" | "good"; children: ComponentChildren }) {
  return (
    <div class={`notice ${kind}`} role={kind === "bad" ? "alert" : undefined}>
      <Icon name={kind === "good" ? "check" : "warn"} />
      <div>{children}</div>
    </div>
  );
}

/** What a list shows before there is anything in it. */
export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} size={32} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** In the place of what is not here yet, or could not be had. */
export function Waiting({ error, again, lines = 4 }: { error?: Error | undefined; again?: () => void; lines?: number }) {
  if (error)
    return (
      <Notice kind="bad">
        <p>{error.message}</p>
        {again && (
          <Button kind="second" class="small" onClick={again}>
            Try again
          </Button>
        )}
      </Notice>
    );
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => (
        <i key={line} />
      ))}
    </div>
  );
}

export function Tabs<T extends string>({ label, tabs, chosen, choose }: { label: string; tabs: readonly { name: T; label: ComponentChildren }[]; chosen: T; choose: (name: T) => void }) {
  const step = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const at = tabs.findIndex((tab) => tab.name === chosen);
    const next = tabs[(at + by + tabs.length) % tabs.length];
    if (next) choose(next.name);
    requestAnimationFrame(() => (event.currentTarget as HTMLElement | null)?.querySelector<HTMLElement>('[aria-selected="true"]')?.focus());
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={step}>
      {tabs.map((tab) => (
        <button type="button" role="tab" key={tab.name} aria-selected={tab.name === chosen} tabIndex={tab.name === chosen ? 0 : -1} onClick={() => choose(tab.name)}>
          {tab.label}
        </button>
      ))}
    </div>
  );
}
