/** @jsxImportSource preact */
/** Who spoke when, on one line of time. */

import { clock } from "../format";
import type { Line, Story } from "./story";

interface TimelineProps {
  story: Story;
  name: string;
  chosen: number | null;
  choose: (line: Line) => void;
}

export function Timeline({ story, name, chosen, choose }: TimelineProps) {
  const began = story.began ?? story.lines[0]?.began ?? 0;
  const whole = Math.max(1, (story.lines.at(-1)?.ended ?? began) - began);
  return (
    <div class="timeline" role="group" aria-label="Who spoke when">
      {(["replica", "user"] as const).map((role) => (
        <div class="lane" key={role}>
          <span class="small quiet">{role === "user" ? "Person" : name}</span>
          <div class="track">
            {story.lines
              .filter((line) => line.role === role)
              .map((line) => (
                <button
                  type="button"
                  key={line.seq}
                  class={`span ${role}`}
                  aria-pressed={chosen === line.seq}
                  aria-label={`${clock(line.began - began)}: ${line.text.slice(0, 80)}`}
                  title={line.text}
                  style={{ insetInlineStart: `${((line.began - began) / whole) * 100}%`, inlineSize: `${Math.max(0.6, ((line.ended - line.began) / whole) * 100)}%` }}
                  onClick={() => choose(line)}
                />
              ))}
          </div>
        </div>
      ))}
      <div class="lane"><span /><div class="scale small quiet"><span>0:00</span><span>{clock(whole)}</span></div></div>
    </div>
  );
}
