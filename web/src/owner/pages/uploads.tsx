/** Ledgers: those uploaded so far, one with what became of it, its questions and its rejected rows; and receipts. */
import { useCallback, useState } from "preact/hooks";
import { download, post, replaying, upload } from "../../shared/api.ts";
import { useGet, useNotices } from "../../shared/hooks.ts";
import { date, number, percent, t } from "../../shared/i18n.ts";
import { Icon } from "../../shared/icons.tsx";
import { useList } from "../../shared/list.ts";
import { Link, query } from "../../shared/router.tsx";
import { streaming } from "../../shared/stream.ts";
import { Act, Card, Chip, Data, Facts, Field, Form, Page, toast } from "../../shared/ui.tsx";
import type { Upload, UploadDetails } from "../types.ts";
import { Ledger } from "./ledger.tsx";
import { Questions, open, type Answers } from "./questions.tsx";
import { Undo, Undone } from "./undo.tsx";

const TONES: Record<string, string> = { failed: "bad", pending: "warn", processing: "warn", waiting: "warn", undone: "plain" };
/** Seconds between reads while notices arrive. */
const SLOWLY = 15;
const BUSY = ["pending", "processing"];

export function UploadsPage() {
  const list = useList<Upload>("/data/uploads?limit=20");
  return (
    <Page title={t("nav.upload")} lead={t("upload.lead")}>
      {!replaying() && (
        <div class="columns">
          <Ledger key={query().get("replace") ?? ""} instead={query().get("replace")} />
          <Receipt />
        </div>
      )}
      <Data of={list}>
        {({ results, count }) => (
          <>
            {count > 0 && <h2 class="day-head">{t("upload.past")}</h2>}
            {count > 0 && (
              <ul class="rows">
                {results.map((of) => (
                  <li key={of.file_id}>
                    <Link class="row" to={`/upload/${of.file_id}`}>
                      <span class="main">
                        <span>{of.file_name}</span>
                        <small>{date(of.created_at, "moment")}</small>
                      </span>
                      <span class="side">
                        <Chip tone={TONES[of.state]}>{t(`upload.${of.state}`)}</Chip>
                        {of.rejected > 0 && <small class="bad">{t("upload.rejected.count", { count: of.rejected })}</small>}
                      </span>
                    </Link>
                  </li>
                ))}
              </ul>
            )}
            {list.more && <Act done={list.more}>{t("more.load", { left: count - results.length })}</Act>}
          </>
        )}
      </Data>
    </Page>
  );
}

function chosen(name: string): File | undefined {
  return document.querySelector<HTMLInputElement>(`input[name="${name}"]`)?.files?.[0];
}

function Receipt() {
  const done = async () => {
    const image = chosen("receipt");
    if (!image) return;
    const form = new FormData();
    form.append("image", image, image.name);
    await upload("/data/upload-receipt", form, crypto.randomUUID());
    toast(t("receipt.kept"));
  };
  return (
    <Card title={t("receipt.title")}>
      <Form submit={t("receipt.send")} tone="quiet" done={done}>
        <Field label={t("receipt.file")} name="receipt" type="file" required accept="image/*" capture="environment" hint={t("receipt.hint")} />
      </Form>
    </Card>
  );
}

export function UploadPage({ id }: { id: string }) {
  const first = useGet<UploadDetails>(`/data/uploads/${id}`);
  const settled = first.data && !BUSY.includes(first.data.state) && first.data.state !== "completed";
  const read = useGet<UploadDetails>(`/data/uploads/${id}`, settled ? undefined : streaming() ? SLOWLY : 1);
  const of = read.data ?? first.data;
  const again = useCallback(() => {
    first.again();
    read.again();
  }, [first.again, read.again]);
  useNotices((notice) => notice.type === "import" && notice["file_id"] === id, again);
  return (
    <Page title={of?.file_name ?? t("nav.upload")}>
      <Data of={read}>{(found) => (found.state === "waiting" ? <Waiting of={found} again={again} /> : <Progress of={found} again={again} />)}</Data>
    </Page>
  );
}

/** An upload that waits: nothing of it counts until its questions are answered. */
function Waiting({ of, again }: { of: UploadDetails; again: () => void }) {
  const [chosen, setChosen] = useState<Answers>({});
  const left = open(of.questions, chosen);
  const done = async () => {
    await post(`/data/uploads/${of.file_id}/answers`, { answers: chosen }, crypto.randomUUID());
    again();
  };
  return (
    <Card title={t("upload.waiting.title")} aside={<Chip tone="warn">{t("upload.waiting")}</Chip>}>
      <p class="soft">{t("upload.waiting.text")}</p>
      <Form submit={t("question.answer")} done={done} disabled={left > 0 || replaying() !== null}>
        <Questions of={of.questions} chosen={chosen} choose={(code, value) => setChosen({ ...chosen, [code]: value })} />
      </Form>
    </Card>
  );
}

function Progress({ of, again }: { of: UploadDetails; again: () => void }) {
  const busy = BUSY.includes(of.state);
  const failure = of.error;
  const out = of.rejected + of.left_out;
  return (
    <>
    <Card title={t(`upload.${of.state}.title`)} aside={<Chip tone={TONES[of.state]}>{t(`upload.${of.state}`)}</Chip>}>
      {busy && (
        <label class="field">
          <span>{percent(of.progress)}</span>
          <progress max={1} value={of.progress} />
        </label>
      )}
      <Facts
        of={[
          [t("upload.rows"), number(of.rows)],
          [t("upload.created"), <strong class="good">{number(of.created)}</strong>],
          [t("upload.duplicates"), number(of.duplicates)],
          [t("upload.left.out"), number(of.left_out)],
          [t("upload.rejected"), <strong class={of.rejected ? "bad" : ""}>{number(of.rejected)}</strong>],
        ]}
      />
      {failure && (
        <div class="problem" role="alert">
          <Icon name="alert" />
          <div>
            <strong>{failure.message}</strong>
            {(failure.suggestions ?? []).map((text) => (
              <p key={text}>{text}</p>
            ))}
          </div>
        </div>
      )}
      {of.warnings.map((warning) => (
        <p key={warning.message} class="note">
          <Icon name="idea" />
          <span>
            {warning.message} {warning.suggestions.join(" ")}
          </span>
        </p>
      ))}
      {out > 0 && !busy && <p class="soft">{t(of.rejected > 0 ? "upload.rejected.next" : "upload.left.out.next")}</p>}
      <div class="buttons">
        {out > 0 && !busy && (
          <Act class={of.rejected > 0 ? "primary" : "quiet"} done={() => download(`/data/uploads/${of.file_id}/errors.csv`, `${of.file_name.replace(/\.\w+$/, "")}-rejected.csv`)}>
            {t("upload.rejected.get")}
          </Act>
        )}
        {!busy && (
          <Link class={of.rejected > 0 ? "quiet" : "primary"} to={of.state === "completed" ? "/" : "/upload"}>
            {t(of.state === "completed" ? "upload.see" : "upload.again")}
          </Link>
        )}
      </div>
      <Undo of={of} again={again} />
    </Card>
    <Undone of={of} />
    </>
  );
}
