/** The log: how long it is, its newest signed checkpoint, and what the last verification found. */
import { useGet } from "../../shared/hooks.ts";
import { date, number, t } from "../../shared/i18n.ts";
import { Link } from "../../shared/router.tsx";
import { Card, Chip, Data, Facts } from "../../shared/ui.tsx";
import type { LogState } from "../types.ts";

const EVERY = 30;

export function LogCard() {
  const log = useGet<LogState>("/admin/log", EVERY);
  const state = log.data && (log.data.findings.length > 0 ? "broken" : log.data.verified_at ? "intact" : "unverified");
  return (
    <Card title={t("log.title")} aside={state && <Chip tone={state === "broken" ? "bad" : state === "unverified" ? "warn" : undefined}>{t(`log.${state}`)}</Chip>}>
      <Data of={log} rows={1}>
        {(of) => <State of={of} />}
      </Data>
    </Card>
  );
}

function State({ of }: { of: LogState }) {
  return (
    <>
      <Facts
        of={[
          [t("log.size"), number(of.size)],
          [t("log.checkpoint"), of.checkpoint ? t("log.upto", { position: of.checkpoint.size, at: date(of.checkpoint.at, "moment") }) : "–"],
          [t("log.verified"), of.verified_at ? t("log.upto", { position: of.verified_size ?? 0, at: date(of.verified_at, "moment") }) : t("never")],
        ]}
      />
      {of.findings.map((finding) => (
        <p key={finding.kind} class="bad" role="alert">
          {t("log.finding", { kind: finding.kind, number: finding.number })} {finding.position !== null && <Link to={`/events/${finding.position}`}>{number(finding.position)}</Link>}
        </p>
      ))}
    </>
  );
}
