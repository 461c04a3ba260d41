/** Jobs by state and kind, with their attempts, and trying one again that was given up. */
import { post } from "../../shared/api.ts";
import { date, number, t } from "../../shared/i18n.ts";
import { useList } from "../../shared/list.ts";
import { Act, Data, Empty, Page, Table, toast } from "../../shared/ui.tsx";
import { Filter, State, filters } from "../parts.tsx";
import type { Job } from "../types.ts";

const STATES = ["", "failed", "pending", "running", "done", "all"];

export function JobsPage() {
  const jobs = useList<Job>(`/admin/jobs?limit=50${filters("state", "kind", "business_id")}`, 5);
  const retry = (id: string) => async () => {
    const { message } = await post<{ message: string }>(`/admin/jobs/${id}/retry`, {}, crypto.randomUUID());
    toast(message);
    jobs.again();
  };
  return (
    <Page title={t("nav.jobs")}>
      <div class="filters">
        <Filter name="state" options={STATES.slice(1)} />
        <Filter name="kind" />
        <Filter name="business_id" />
      </div>
      <Data of={jobs}>
        {({ results, count }) =>
          count === 0 ? (
            <Empty icon="check" title={t("jobs.none")}>
              <p>{t("jobs.none.text")}</p>
            </Empty>
          ) : (
            <>
              <Table
                caption={t("nav.jobs")}
                head={[t("kind"), t("subject"), t("business"), t("state"), t("attempts"), t("error"), t("created_at"), ""]}
                rows={results.map((job) => [
                  <strong>{job.kind}</strong>,
                  <span class="mono">{job.subject}</span>,
                  job.business_id === null ? "–" : number(job.business_id),
                  <State of={job.state} />,
                  <Attempts of={job} />,
                  job.error ? <span class="bad">{job.error}</span> : "–",
                  date(job.created_at, "moment"),
                  job.state === "failed" ? <Act done={retry(job.id)}>{t("retry")}</Act> : "",
                ])}
              />
              {jobs.more && <Act done={jobs.more}>{t("more.load", { left: count - results.length })}</Act>}
            </>
          )
        }
      </Data>
    </Page>
  );
}

function Attempts({ of }: { of: Job }) {
  if (of.history.length === 0) return <>{number(of.attempts)}</>;
  return (
    <details>
      <summary>{number(of.attempts)}</summary>
      {of.history.map((step) => (
        <p key={step.timestamp}>
          {date(step.timestamp, "exact")} · {step.event} · {step.actor} {step.error && <span class="bad">{step.error}</span>}
        </p>
      ))}
    </details>
  );
}
