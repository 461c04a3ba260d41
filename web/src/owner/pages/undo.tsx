/** Taking an upload back, or another file in its place; and what stayed of one that was taken back. */
import { useState } from "preact/hooks";
import { post, replaying } from "../../shared/api.ts";
import { date, number, t } from "../../shared/i18n.ts";
import { Icon } from "../../shared/icons.tsx";
import { Link } from "../../shared/router.tsx";
import { Act, Card, Facts, Sheet, toast } from "../../shared/ui.tsx";
import type { UploadDetails } from "../types.ts";

const DAYS = 30;

/** Offered while the API allows it: for an upload that was read, for 30 days. */
export function Undo({ of, again }: { of: UploadDetails; again: () => void }) {
  const [asking, setAsking] = useState(false);
  const old = Date.now() - Date.parse(of.created_at) > DAYS * 86_400_000;
  if (of.state !== "completed" || of.undo || old || replaying()) return null;
  const undo = async () => {
    const { message } = await post<{ message: string }>(`/data/uploads/${of.file_id}/undo`, {}, crypto.randomUUID());
    toast(message);
    setAsking(false);
    again();
  };
  return (
    <>
      <div class="buttons">
        <Link class="quiet" to={`/upload?replace=${of.file_id}`}>
          {t("undo.replace")}
        </Link>
        <button type="button" class="danger" onClick={() => setAsking(true)}>
          {t("undo.do")}
        </button>
      </div>
      {asking && (
        <Sheet title={t("undo.do")} close={() => setAsking(false)}>
          <p>{t("undo.text", { created: of.created, name: of.file_name })}</p>
          <p class="soft">{t("undo.again")}</p>
          <div class="buttons">
            <Act class="danger" done={undo}>
              {t("undo.do")}
            </Act>
            <button type="button" class="quiet" onClick={() => setAsking(false)}>
              {t("undo.keep")}
            </button>
          </div>
        </Sheet>
      )}
    </>
  );
}

/** How an upload was taken back, and what stays. */
export function Undone({ of }: { of: UploadDetails }) {
  if (!of.undo) return null;
  const { undone_at: at, sales, movements, replaced_by: instead, notes } = of.undo;
  if (!at) return <p role="status">{t("undo.running")}</p>;
  return (
    <Card title={t("undo.title")}>
      <Facts
        of={[
          [t("undo.at"), date(at, "moment")],
          [t("undo.sales"), number(sales)],
          [t("undo.movements"), number(movements)],
        ]}
      />
      {notes.map((note) => (
        <p key={note.message} class="note">
          <Icon name="idea" />
          <span>
            {note.message} {note.suggestions.join(" ")}
          </span>
        </p>
      ))}
      {instead && <Link to={`/upload/${instead}`}>{t("undo.instead")}</Link>}
    </Card>
  );
}
