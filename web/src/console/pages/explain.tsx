/** Explain: any row of a read model, walked event by event. */
import { useState } from "preact/hooks";
import { useGet } from "../../shared/hooks.ts";
import { date, number, t } from "../../shared/i18n.ts";
import { Link, query } from "../../shared/router.tsx";
import { Card, Chip, Data, Empty, Page, Table } from "../../shared/ui.tsx";
import { Filter, Json, filters } from "../parts.tsx";
import type { Explained } from "../types.ts";

export function ExplainPage() {
  const complete = Boolean(query().get("table") && query().get("id"));
  const read = useGet<Explained>(complete ? `/admin/explain?${filters("table", "business_id", "id").slice(1)}` : null);
  return (
    <Page title={t("nav.explain")} lead={t("explain.lead")}>
      <div class="filters">
        <Filter name="table" />
        <Filter name="business_id" />
        <Filter name="id" />
      </div>
      {complete ? <Data of={read}>{(of) => <Walk key={`${of.table} ${of.id}`} of={of} />}</Data> : <Empty icon="why" title={t("explain.choose")} />}
    </Page>
  );
}

const shown = (value: unknown): string => (value === null || value === undefined ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value));

function Walk({ of }: { of: Explained }) {
  const [at, setAt] = useState(of.steps.length - 1);
  const step = of.steps[at];
  const unexplained = Object.keys(of.unexplained).length > 0;
  return (
    <div class="columns">
      <div>
        {step && (
          <Card title={step.title ?? step.topic} aside={<Chip>{t("explain.step", { at: at + 1, of: of.steps.length })}</Chip>}>
            <p>
              <Link to={`/events/${step.position}`}>
                {number(step.position)} {step.topic}
              </Link>{" "}
              · {date(step.recorded_at, "exact")} · {step.actor ?? "–"}
            </p>
            <Table caption={step.title ?? step.topic} head={[t("column"), t("from"), t("to")]} rows={Object.entries(step.changed).map(([name, [before, after]]) => [<span class="mono">{name}</span>, shown(before), <strong>{shown(after)}</strong>])} />
            <div class="buttons">
              <button type="button" class="quiet" disabled={at === 0} onClick={() => setAt(at - 1)}>
                {t("previous")}
              </button>
              <button type="button" class="quiet" disabled={at >= of.steps.length - 1} onClick={() => setAt(at + 1)}>
                {t("next")}
              </button>
            </div>
          </Card>
        )}
        <Card title={t("explain.row")} aside={unexplained && <Chip tone="bad">{t("explain.unexplained")}</Chip>}>
          {unexplained && <Json of={of.unexplained} />}
          <Json of={of.row} />
        </Card>
      </div>
      <ul class="rows">
        {of.steps.map((one, index) => (
          <li key={`${one.position} ${index}`}>
            <button type="button" class="row" aria-current={index === at ? "step" : undefined} onClick={() => setAt(index)}>
              <span class="num soft">{number(one.position)}</span>
              <span class="main">
                <span>{one.title ?? one.topic}</span>
                <small class="mono">{one.topic}</small>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
