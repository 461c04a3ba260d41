/** The parts that every page is built of. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Refused, Unreachable } from "./api.ts";
import type { Read } from "./hooks.ts";
import { date, parsed, t } from "./i18n.ts";
import { Icon, type IconName } from "./icons.tsx";
import { filter, query } from "./router.tsx";
import { emit, useStore } from "./store.ts";

type Children = { children?: ComponentChildren };

export function Page({ title, lead, action, children }: Children & { title: string; lead?: ComponentChildren; action?: ComponentChildren }) {
  useEffect(() => {
    document.title = `${title} · SmartMarket`;
  }, [title]);
  return (
    <main id="main">
      <div class="head">
        <div>
          <h1 tabIndex={-1}>{title}</h1>
          {lead && <p class="soft">{lead}</p>}
        </div>
        {action}
      </div>
      {children}
    </main>
  );
}

export function Card({ title, aside, children, tone }: Children & { title?: string; aside?: ComponentChildren; tone?: string }) {
  return (
    <section class={`card ${tone ?? ""}`}>
      {title && (
        <div class="card-head">
          <h2>{title}</h2>
          {aside}
        </div>
      )}
      {children}
    </section>
  );
}

export function Chip({ tone, children }: Children & { tone?: string | undefined }) {
  return <span class={`chip ${tone ?? ""}`}>{children}</span>;
}

/** What went wrong and what to do next. */
export function Problem({ error, again }: { error: Error; again?: () => void }) {
  const offline = error instanceof Unreachable;
  const suggestions = error instanceof Refused ? [...error.fields, ...error.suggestions] : [];
  return (
    <div class="problem" role="alert">
      <Icon name={offline ? "offline" : "alert"} />
      <div>
        <strong>{offline ? t("offline.title") : error instanceof Refused ? error.message : t("error.title")}</strong>
        {offline && <p>{t("offline.next")}</p>}
        {!offline && !(error instanceof Refused) && <p>{t("error.next")}</p>}
        {suggestions.map((suggestion) => (
          <p key={suggestion}>{suggestion}</p>
        ))}
        {again && (
          <button type="button" class="quiet" onClick={again}>
            {t("again")}
          </button>
        )}
      </div>
    </div>
  );
}

export function Empty({ icon, title, children }: Children & { icon: IconName; title: string }) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <strong>{title}</strong>
      {children}
    </div>
  );
}

/** Shows what was read, a skeleton before that, what went wrong, and how old a kept answer is. */
export function Data<T>({ of, children, rows = 3 }: { of: Read<T>; children: (data: T) => ComponentChildren; rows?: number }) {
  if (of.error) return <Problem error={of.error} again={of.again} />;
  if (of.data === undefined) return <Skeleton rows={rows} />;
  return (
    <div class={of.loading ? "stale" : ""}>
      {of.keptAt !== null && (
        <p class="note">
          <Icon name="offline" /> {t("offline.kept", { at: date(of.keptAt, "moment") })}
        </p>
      )}
      {children(of.data)}
    </div>
  );
}

export function Skeleton({ rows = 3 }: { rows?: number }) {
  return (
    <div class="skeleton" role="status" aria-label={t("loading")}>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} />
      ))}
    </div>
  );
}

interface FieldProps extends Omit<JSX.HTMLAttributes<HTMLInputElement>, "label"> {
  label: string;
  hint?: string | undefined;
  children?: ComponentChildren;
  name: string;
  type?: string;
  value?: string | number | undefined;
  required?: boolean;
  maxLength?: number;
  autocomplete?: string;
  inputMode?: string;
  min?: string;
  max?: string;
  list?: string;
  placeholder?: string;
  accept?: string;
  capture?: string;
}

/** A labelled input; children (options) make it a select. Numbers may be written in either digits. */
export function Field({ label, hint, children, type, ...rest }: FieldProps) {
  const numeric = type === "number";
  const control = children ? (
    <select {...(rest as object)}>{children}</select>
  ) : (
    <input {...(rest as object)} type={numeric ? "text" : (type ?? "text")} {...(numeric ? { inputMode: "decimal", autocomplete: "off" } : {})} />
  );
  return (
    <label class="field">
      <span>{label}</span>
      {control}
      {hint && <small>{hint}</small>}
    </label>
  );
}

export type Values = Record<string, string>;

interface FormProps extends Children {
  submit: string;
  done: (values: Values) => Promise<unknown>;
  tone?: string;
  extra?: ComponentChildren;
  disabled?: boolean;
}

/** A form that is busy while its work is being done, and shows what was refused beside its button. */
export function Form({ submit, done, tone, extra, disabled, children }: FormProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();
  const onSubmit = async (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const values: Values = {};
    for (const [name, value] of new FormData(form)) if (typeof value === "string") values[name] = value.trim();
    setBusy(true);
    setError(undefined);
    try {
      await done(values);
    } catch (problem) {
      setError(problem as Error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={onSubmit}>
      {children}
      {error && <Problem error={error} />}
      <div class="buttons">
        <button type="submit" class={tone ?? "primary"} disabled={busy || disabled} aria-busy={busy}>
          {busy ? t("busy") : submit}
        </button>
        {extra}
      </div>
    </form>
  );
}

/** The number in a field; undefined where it is left empty. Raises an Error that says so where it is none. */
export function numeric(values: Values, name: string): number | undefined {
  const text = values[name] ?? "";
  if (text === "") return undefined;
  const value = parsed(text);
  if (Number.isNaN(value)) throw new Refused(400, { message: t("error.number", { text }) }, null);
  return value;
}

/** A button whose work is being done; what was refused shows as a toast. */
export function Act({ done, class: tone, children, label }: Children & { done: () => Promise<unknown>; class?: string; label?: string }) {
  const [busy, setBusy] = useState(false);
  const onClick = async () => {
    setBusy(true);
    try {
      await done();
    } catch (error) {
      toast(error instanceof Unreachable ? t("offline.title") : (error as Error).message, "bad");
    } finally {
      setBusy(false);
    }
  };
  return (
    <button type="button" class={tone ?? "quiet"} disabled={busy} aria-busy={busy} aria-label={label} onClick={onClick}>
      {children}
    </button>
  );
}

/** A dialog from below on phones, in the middle on desktops. */
export function Sheet({ title, close, children }: Children & { title: string; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const outside = (event: MouseEvent) => event.target === dialog.current && close();
  return (
    <dialog ref={dialog} class="sheet" aria-label={title} onClose={close} onClick={outside}>
      <div class="sheet-body">
        <div class="card-head">
          <h2>{title}</h2>
          <button type="button" class="icon" aria-label={t("close")} onClick={close}>
            <Icon name="close" />
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}

let shown: { text: string; tone: string } | null = null;
let timer = 0;

export function toast(text: string, tone = "good"): void {
  shown = { text, tone };
  clearTimeout(timer);
  timer = setTimeout(() => {
    shown = null;
    emit();
  }, 6000) as unknown as number;
  emit();
}

export function Toast() {
  useStore();
  return (
    <div class="toast" role="status" aria-live="polite">
      {shown && <p class={shown.tone}>{shown.text}</p>}
    </div>
  );
}

const TYPED_MS = 300;

/** A search field whose words stand in the address bar once the reader pauses. */
export function Search({ label, name = "q" }: { label: string; name?: string }) {
  const waiting = useRef(0);
  const search = (text: string) => {
    clearTimeout(waiting.current);
    waiting.current = setTimeout(() => filter(name, text.trim()), TYPED_MS) as unknown as number;
  };
  return (
    <label class="field search">
      <span class="hidden">{label}</span>
      <input type="search" name={name} placeholder={label} maxLength={100} value={query().get(name) ?? ""} autocomplete="off" onInput={(event) => search(event.currentTarget.value)} />
    </label>
  );
}

/** One of a few, as a row of buttons. */
export function Choice({ label, value, options, choose }: { label: string; value: string; options: [string, ComponentChildren][]; choose: (value: string) => void }) {
  return (
    <div class="choice" role="group" aria-label={label}>
      {options.map(([id, text]) => (
        <button key={id} type="button" aria-pressed={id === value} onClick={() => choose(id)}>
          {text}
        </button>
      ))}
    </div>
  );
}

/** Name and value, one pair a line; `tone` is the colour of its part of a chart. */
export function Facts({ of }: { of: [name: ComponentChildren, value: ComponentChildren, tone?: string][] }) {
  return (
    <dl class="facts">
      {of.map(([name, value, tone], at) => (
        <div key={at}>
          <dt>
            {tone && <span class={`dot ${tone}`} />}
            {name}
          </dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Table({ head, rows, caption }: { head: ComponentChildren[]; rows: ComponentChildren[][]; caption: string }) {
  return (
    <div class="scroll" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {head.map((cell, at) => (
              <th key={at} scope="col">
                {cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, column) => (
                <td key={column}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
