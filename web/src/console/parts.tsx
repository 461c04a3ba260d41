/** What several pages of the console share. */
import { useState } from "preact/hooks";
import { number, t } from "../shared/i18n.ts";
import { filter, query } from "../shared/router.tsx";
import { Act, Chip, Field, Sheet } from "../shared/ui.tsx";

const TONES: Record<string, string> = { failed: "bad", error: "bad", refused: "bad", replaying: "warn", pending: "warn", running: "warn", dropped: "plain", dropping: "plain", catching_up: "warn" };

export function State({ of }: { of: string }) {
  return <Chip tone={TONES[of]}>{t(`state.${of}`)}</Chip>;
}

/** A filter that stands in the address bar. */
export function Filter({ name, type, options }: { name: string; type?: string; options?: string[] }) {
  return (
    <Field label={t(`filter.${name}`)} name={name} type={type ?? "text"} value={query().get(name) ?? ""} onChange={(event) => filter(name, event.currentTarget.value.trim())}>
      {options?.map((option) => (
        <option key={option} value={option}>
          {option ? t(`option.${option}`) : t("all")}
        </option>
      ))}
    </Field>
  );
}

/** The filters of the address bar as a query of the API. */
export function filters(...names: string[]): string {
  return names.map((name) => [name, query().get(name)] as const).filter(([, value]) => value).map(([name, value]) => `&${name}=${encodeURIComponent(value ?? "")}`).join("");
}

/** A button that asks before it works. */
export function Confirm({ label, text, done, tone }: { label: string; text: string; done: () => Promise<unknown>; tone?: string }) {
  const [asking, setAsking] = useState(false);
  const close = () => setAsking(false);
  return (
    <>
      <button type="button" class={tone ?? "quiet"} onClick={() => setAsking(true)}>
        {label}
      </button>
      {asking && (
        <Sheet title={label} close={close}>
          <p>{text}</p>
          <div class="buttons">
            <Act class="primary" done={() => done().finally(close)}>
              {t("confirm")}
            </Act>
            <button type="button" class="quiet" onClick={close}>
              {t("cancel")}
            </button>
          </div>
        </Sheet>
      )}
    </>
  );
}

export function Json({ of }: { of: unknown }) {
  return <pre tabIndex={0}>{JSON.stringify(of, null, 2)}</pre>;
}

/** The last values as a line. */
export function Spark({ of, label }: { of: number[]; label: string }) {
  const most = Math.max(1, ...of);
  const points = of.map((value, at) => `${((at / Math.max(1, of.length - 1)) * 96).toFixed(1)} ${(22 - (value / most) * 20).toFixed(1)}`);
  return (
    <svg class="spark" viewBox="0 0 96 24" preserveAspectRatio="none" role="img" aria-label={`${label}: ${number(of.at(-1) ?? 0)}`}>
      {points.length > 1 && <path d={`M${points.join("L")}`} />}
    </svg>
  );
}

/** Seconds as the reader says them. */
export function duration(seconds: number): string {
  if (seconds < 60) return t("seconds", { count: number(seconds, 0) });
  return t("minutes", { count: number(seconds / 60, 0) });
}
