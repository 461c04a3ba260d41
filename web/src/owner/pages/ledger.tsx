/** A new ledger: how it is read, what it adds up to and what is left out, before anything counts. */
import { useRef, useState } from "preact/hooks";
import { send, upload } from "../../shared/api.ts";
import { date, money, number, percent, t } from "../../shared/i18n.ts";
import { go } from "../../shared/router.tsx";
import { Card, Chip, Data, Facts, Field, Form, Table } from "../../shared/ui.tsx";
import type { Preview, Question } from "../types.ts";
import { Questions, fieldName, open, sumsOf, type Answers } from "./questions.tsx";

/** A file and what its owner has said about it so far. */
interface Draft {
  file: File;
  answers: Answers;
  mapping: Record<string, string>;
}

function formOf({ file, answers, mapping }: Draft): FormData {
  const form = new FormData();
  form.append("file", file, file.name);
  if (Object.keys(answers).length > 0) form.append("answers", JSON.stringify(answers));
  if (Object.keys(mapping).length > 0) form.append("mapping", JSON.stringify(mapping));
  return form;
}

async function read(draft: Draft): Promise<Preview> {
  const answer = await send("POST", "/data/preview", { form: formOf(draft) });
  return ((await answer.json()) as { data: Preview }).data;
}

/** Chooses a file and shows how it is read; `instead` is the upload that it replaces. */
export function Ledger({ instead }: { instead: string | null }) {
  const [draft, setDraft] = useState<Draft>();
  const [preview, setPreview] = useState<Preview>();
  const [asked, setAsked] = useState<Question[]>([]);
  const [error, setError] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const latest = useRef(0);

  /** Reads the file again as its owner now wants it; answered questions stay, so that an answer can be changed. */
  const reread = async (next: Draft) => {
    const own = ++latest.current;
    setDraft(next);
    setBusy(true);
    setError(undefined);
    try {
      const found = await read(next);
      if (own !== latest.current) return;
      setPreview(found);
      setAsked((before) => [...before.filter(({ code }) => next.answers[code] && !found.questions.some((question) => question.code === code)), ...found.questions]);
    } catch (problem) {
      if (own === latest.current) setError(problem as Error);
    } finally {
      if (own === latest.current) setBusy(false);
    }
  };
  const choose = async () => {
    const file = document.querySelector<HTMLInputElement>('input[name="ledger"]')?.files?.[0];
    if (!file) return;
    const next = { file, answers: {}, mapping: {} };
    const found = await read(next);
    setAsked(found.questions);
    setPreview(found);
    setDraft(next);
  };
  const load = async () => {
    if (!draft) return;
    const { file_id } = await upload<{ file_id: string }>(`/data/upload-csv${instead ? `?replace=${instead}` : ""}`, formOf(draft), crypto.randomUUID());
    go(`/upload/${file_id}`);
  };
  if (!draft || !preview) {
    return (
      <Card title={t(instead ? "upload.replace" : "upload.choose")}>
        <Form submit={t("upload.look")} done={choose}>
          <Field label={t("upload.file")} name="ledger" type="file" required accept=".csv,.tsv,.txt,.xlsx,.xls,.ods,.html,.htm,text/csv" hint={t("upload.hint")} />
        </Form>
      </Card>
    );
  }
  const left = open(asked, draft.answers);
  return (
    <Card title={draft.file.name} aside={<Chip tone={left ? "warn" : "plain"}>{t(left ? "question.left" : "upload.nothing.yet", { count: left })}</Chip>}>
      <Form
        submit={t(instead ? "upload.replace.do" : "upload.send")}
        done={load}
        disabled={left > 0 || busy}
        extra={
          <button type="button" class="quiet" onClick={() => setDraft(undefined)}>
            {t("upload.other")}
          </button>
        }
      >
        <Questions of={asked} chosen={draft.answers} choose={(code, value) => void reread({ ...draft, answers: { ...draft.answers, [code]: value } })} />
        <Data of={{ data: preview, error, keptAt: null, loading: busy, again: () => void reread(draft) }}>
          {(of) => <Reading of={of} map={(field, column) => void reread({ ...draft, mapping: { ...draft.mapping, [field]: column } })} />}
        </Data>
        {left > 0 && <p class="warn">{t("question.first", { count: left })}</p>}
      </Form>
    </Card>
  );
}

/** What an upload would record: rows and sums, what is left out, and by which columns. */
function Reading({ of, map }: { of: Preview; map: (field: string, column: string) => void }) {
  return (
    <>
      <Facts of={[[t("upload.rows"), number(of.rows)], [t("upload.created"), <strong class="good">{number(of.counts.created)}</strong>], [t("upload.duplicates"), number(of.counts.duplicates)], ...sumsOf(of.sums)]} />
      <NotTaken of={of.not_taken} />
      {of.warnings.map((warning) => (
        <p key={warning.message} class="note">
          <span>
            {warning.message} {warning.suggestions.join(" ")}
          </span>
        </p>
      ))}
      <details>
        <summary>{t("upload.columns")}</summary>
        <Columns of={of} map={map} />
      </details>
      <details>
        <summary>{t("upload.sample")}</summary>
        <Sample of={of} />
      </details>
    </>
  );
}

function NotTaken({ of }: { of: Preview["not_taken"] }) {
  if (of.length === 0) return null;
  return (
    <>
      <h3>{t("upload.not.taken")}</h3>
      <ul class="plain">
        {of.map((reason) => (
          <li key={reason.code} class="row bare">
            <span class="main">
              <span>{reason.message}</span>
              <small>{t("question.rows", { rows: reason.rows.slice(0, 8).map((row) => number(row)).join(", ") })}</small>
            </span>
            <strong class={reason.left_out ? "side num" : "side num bad"}>{number(reason.count)}</strong>
          </li>
        ))}
      </ul>
    </>
  );
}

/** The column of each field with the evidence; another one may be chosen. */
function Columns({ of, map }: { of: Preview; map: (field: string, column: string) => void }) {
  return (
    <>
      {Object.entries(of.mapping).map(([field, { column, evidence, confidence }]) => (
        <Field key={`${field} ${column}`} label={fieldName(field)} name={`column-${field}`} value={column} hint={`${evidence} (${percent(confidence)})`} onChange={(event) => map(field, event.currentTarget.value)}>
          {[...new Set(of.header)].filter(Boolean).map((name) => (
            <option key={name} value={name} selected={name === column}>
              {name}
            </option>
          ))}
        </Field>
      ))}
    </>
  );
}

const SHOWN_ROWS = 10;

/** The first rows as the file has them and as they are read. */
function Sample({ of }: { of: Preview }) {
  const cell = (read: Record<string, unknown>) => {
    if (read["state"] !== "read") return <span class="bad">{String(read["message"])}</span>;
    const { date: at, product_name: product, quantity, amount, customer_name: customer } = read as { date: string; product_name: string | null; quantity: number; amount: number; customer_name: string | null };
    return [date(at, "full"), `${product ?? t("unnamed")} × ${number(quantity)}`, money(amount, true), customer].filter(Boolean).join(" · ");
  };
  return (
    <Table
      caption={t("upload.sample")}
      head={[t("upload.row"), t("upload.read.as"), ...of.header]}
      rows={of.sample.slice(0, SHOWN_ROWS).map((row) => [number(row.row), cell(row.read), ...row.raw])}
    />
  );
}

