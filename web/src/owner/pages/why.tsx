/** Why a number is as it is: the events behind it, one step at a time, with what each changed. */
import { useState } from "preact/hooks";
import { useGet } from "../../shared/hooks.ts";
import { date, has, money, number, t } from "../../shared/i18n.ts";
import { Card, Data, Empty, Facts, Page } from "../../shared/ui.tsx";
import type { Explained } from "../types.ts";

const MONEY = new Set(["paisa", "unit_price", "first_price", "stake"]);
const THOUSANDTHS = new Set(["units", "quantity", "on_hand", "reorder_point"]);

function shown(name: string, value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  if (typeof value === "number") return MONEY.has(name) ? money(value / 100, true) : number(THOUSANDTHS.has(name) ? value / 1000 : value);
  const text = String(value);
  if (/^\d{4}-\d\d-\d\d/.test(text)) return date(text.slice(0, 10), "full");
  for (const group of ["segment", "risk", "urgency", "method"]) if (has(`${group}.${text}`) && name !== "name") return t(`${group}.${text}`);
  return text;
}

export function WhyPage({ id, sub }: { id: string; sub: string }) {
  const read = useGet<Explained>(`/explain?what=${encodeURIComponent(id)}&id=${encodeURIComponent(sub)}`);
  return (
    <Page title={t("why.title")} lead={t("why.lead")}>
      <Data of={read}>{(of) => (of.steps.length === 0 ? <Empty icon="why" title={t("why.none")} /> : <Walk of={of} />)}</Data>
    </Page>
  );
}

function Walk({ of }: { of: Explained }) {
  const [at, setAt] = useState(of.steps.length - 1);
  const step = of.steps[at];
  if (!step) return null;
  const changes = Object.entries(step.changed).filter(([name]) => has(`col.${name}`));
  return (
    <>
      <Card title={step.title ?? step.topic} aside={<span class="soft num">{t("why.step", { at: at + 1, of: of.steps.length })}</span>}>
        <p class="soft">{date(step.recorded_at, "moment")}</p>
        {changes.length === 0 && <p>{t("why.nothing")}</p>}
        <Facts
          of={changes.map(([name, [before, after]]) => [
            t(`col.${name}`),
            <>
              {before !== null && <del class="soft">{shown(name, before)}</del>} {before !== null && "→ "}
              <strong>{shown(name, after)}</strong>
            </>,
          ])}
        />
        <div class="buttons">
          <button type="button" class="quiet" disabled={at === 0} onClick={() => setAt(at - 1)}>
            {t("why.before")}
          </button>
          <button type="button" class="quiet" disabled={at === of.steps.length - 1} onClick={() => setAt(at + 1)}>
            {t("why.after")}
          </button>
        </div>
      </Card>
      <ul class="rows">
        {of.steps.map((one, index) => (
          <li key={one.position}>
            <button type="button" class="row" aria-current={index === at ? "step" : undefined} onClick={() => setAt(index)}>
              <span class="main">
                <span>{one.title ?? one.topic}</span>
                <small>{date(one.recorded_at, "moment")}</small>
              </span>
              <span class="side num">{number(index + 1)}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
