/** Projections and their generations: rebuild, verify, watch, adopt and drop. */
import { post } from "../../shared/api.ts";
import { useGet } from "../../shared/hooks.ts";
import { date, number, percent, t } from "../../shared/i18n.ts";
import { Link, go, query } from "../../shared/router.tsx";
import { Card, Chip, Data, Facts, Page, Table, toast } from "../../shared/ui.tsx";
import { Confirm, Filter, Json, State, duration } from "../parts.tsx";
import type { Changed, Generation, Projection } from "../types.ts";

const EVERY = 2;
const OVER = ["completed", "failed", "dropped", "live", "ready", "retired"];

export function ProjectionsPage() {
  const projections = useGet<{ results: Projection[] }>("/admin/projections", EVERY);
  const generations = useGet<{ results: Generation[] }>("/admin/generations", EVERY);
  const business = query().get("business_id");
  const ask = (name: string, what: string) => async () => {
    const { generation_id: id } = await post<{ generation_id: number }>(`/admin/projections/${name}/${what}`, business ? { business_id: Number(business) } : {});
    go(`/generations/${id}`);
  };
  const scope = business ? t("scope.one", { business }) : t("scope.all");
  return (
    <Page title={t("nav.projections")}>
      <Card title={t("projections.serving")}>
        <div class="filters">
          <Filter name="business_id" type="text" />
        </div>
        <Data of={projections}>
          {(of) => (
            <Table
              caption={t("projections.serving")}
              head={[t("projection"), t("position"), t("lag"), t("generation"), t("version"), t("parked"), t("state"), ""]}
              rows={of.results.map((one) => [
                <strong>{t(`projection.${one.name}`)}</strong>,
                <span class="num">{number(one.position)}</span>,
                <span class="num">{number(one.lag)}</span>,
                <Link to={`/generations/${one.generation_id}`}>{one.generation}</Link>,
                number(one.projector_version),
                number(one.parked),
                <State of={one.state} />,
                <div class="buttons">
                  <Confirm label={t("verify")} text={t("verify.text", { projection: one.name, scope })} done={ask(one.name, "verify")} />
                  <Confirm label={t("rebuild")} text={t("rebuild.text", { projection: one.name, scope })} done={ask(one.name, "rebuild")} />
                </div>,
              ])}
            />
          )}
        </Data>
      </Card>
      <Card title={t("generations")}>
        <Data of={generations}>{(of) => <Generations of={of.results} />}</Data>
      </Card>
    </Page>
  );
}

function Generations({ of }: { of: Generation[] }) {
  return (
    <Table
      caption={t("generations")}
      head={["#", t("projection"), t("kind"), t("state"), t("progress"), t("business"), t("asked_by"), t("changed_at")]}
      rows={of.map((one) => [
        <Link to={`/generations/${one.id}`}>{number(one.id)}</Link>,
        t(`projection.${one.projection}`),
        t(`kind.${one.kind}`),
        <State of={one.state} />,
        <Progress of={one} />,
        one.business_id === null ? t("all") : number(one.business_id),
        one.asked_by ?? "–",
        date(one.changed_at, "moment"),
      ])}
    />
  );
}

function Progress({ of }: { of: Generation }) {
  if (OVER.includes(of.state)) return <>{percent(of.progress)}</>;
  return (
    <>
      <progress max={1} value={of.progress} aria-label={t("progress")} />
      <small class="soft">
        {of.rate !== null && `${t("rate", { count: number(of.rate, 0) })} `}
        {of.eta_seconds !== null && t("eta", { time: duration(of.eta_seconds) })}
      </small>
    </>
  );
}

export function GenerationPage({ id }: { id: string }) {
  const first = useGet<Generation>(`/admin/generations/${id}`);
  const busy = !first.data || !OVER.includes(first.data.state);
  const read = useGet<Generation>(`/admin/generations/${id}`, busy ? 1 : EVERY * 5);
  const of = read.data;
  return (
    <Page title={t("generation.title", { id: number(Number(id)) })} lead={of && `${t(`kind.${of.kind}`)} · ${t(`projection.${of.projection}`)}`}>
      <Data of={read}>{(found) => <Detail of={found} again={() => { first.again(); read.again(); }} />}</Data>
    </Page>
  );
}

function Detail({ of, again }: { of: Generation; again: () => void }) {
  const act = (what: string) => async () => {
    const { state } = await post<{ state: string }>(`/admin/generations/${of.id}/${what}`);
    toast(t("generation.now", { state: t(`state.${state}`) }));
    again();
  };
  return (
    <>
      <Card title={t("state")} aside={<State of={of.state} />}>
        <Progress of={of} />
        <Facts
          of={[
            [t("business"), of.business_id === null ? t("all") : number(of.business_id)],
            [t("asked_by"), of.asked_by ?? "–"],
            [t("created_at"), date(of.created_at, "exact")],
            [t("changed_at"), date(of.changed_at, "exact")],
            [t("took"), of.seconds == null ? "–" : `${number(of.seconds)} s`],
          ]}
        />
        {of.error && <p class="bad">{of.error}</p>}
        <div class="buttons">
          {of.state === "ready" && <Confirm label={t("adopt")} text={t(of.kind === "preview" ? "adopt.preview" : "adopt.before")} done={act("adopt")} tone="primary" />}
          {["ready", "replaying", "retired"].includes(of.state) && <Confirm label={t("drop")} text={t("drop.text")} done={act("drop")} tone="danger" />}
        </div>
      </Card>
      {of.kind === "verify" && of.equal !== undefined && <Verification of={of} />}
      {of.kind === "preview" && of.tables && <Preview of={of} />}
    </>
  );
}

function Verification({ of }: { of: Generation }) {
  return (
    <Card title={t("verification")} aside={<Chip tone={of.equal ? undefined : "bad"}>{t(of.equal ? "verification.equal" : "verification.differs")}</Chip>}>
      <Facts
        of={[
          [t("businesses"), number(of.businesses ?? 0)],
          [t("rows"), number(of.rows ?? 0)],
          [t("differing"), <strong class={of.differing ? "bad" : ""}>{number(of.differing ?? 0)}</strong>],
        ]}
      />
      {(of.differences ?? []).map((difference, at) => (
        <Json key={at} of={difference} />
      ))}
    </Card>
  );
}

function Preview({ of }: { of: Generation }) {
  return (
    <>
      <Card title={t("preview.rules")}>
        {Object.entries(of.rules ?? {}).map(([rule, chosen]) => (
          <Facts key={rule} of={[[t("version"), chosen.version], ...Object.entries(chosen.parameters).map(([name, value]): [string, string] => [name, JSON.stringify(value)])]} />
        ))}
      </Card>
      <Card title={t("preview.title")} aside={<Chip tone={of.changed ? "warn" : undefined}>{t("preview.changed", { rows: of.changed ?? 0, businesses: of.changed_businesses ?? 0 })}</Chip>}>
        {Object.entries(of.tables ?? {}).map(([name, table]) => (
          <Moves key={name} name={name} of={table} />
        ))}
        {of.recommendations && <p class="soft">{t("preview.advice", { changed: of.recommendations.changed, rows: of.recommendations.rows })}</p>}
      </Card>
      <Card title={t("preview.shops")}>
        <Table
          caption={t("preview.shops")}
          head={[t("business"), t("table"), t("rows"), t("changed"), t("columns")]}
          rows={(of.by_business ?? []).flatMap((shop) =>
            Object.entries(shop.tables)
              .filter(([, table]) => table.changed > 0)
              .map(([name, table]) => [number(shop.business_id), name, number(table.rows), number(table.changed), Object.entries(table.columns).map(([column, rows]) => `${column} ${number(rows)}`).join(", ")]),
          )}
        />
      </Card>
    </>
  );
}

function Moves({ name, of }: { name: string; of: Changed }) {
  return (
    <>
      <h3>
        {name}: {t("preview.rows", { changed: of.changed, rows: of.rows })}
      </h3>
      {of.moves.length > 0 && (
        <Table
          caption={name}
          head={[t("column"), t("from"), t("to"), t("rows")]}
          rows={of.moves.map((move) => [move.column, String(move.from ?? "–"), String(move.to ?? "–"), number(move.rows)])}
        />
      )}
    </>
  );
}
