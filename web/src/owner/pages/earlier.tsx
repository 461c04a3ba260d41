/** An earlier day: choose one, wait until the books of that day are ready, and look at every page. */
import { useState } from "preact/hooks";
import { get, post, readFrom, replaying } from "../../shared/api.ts";
import { date, day, number, t } from "../../shared/i18n.ts";
import { go } from "../../shared/router.tsx";
import { Card, Field, Form, Page, toast } from "../../shared/ui.tsx";

interface Replay {
  id: string;
  state: string;
}

const BACK = 180;
const PATIENCE = 60;
let shown = day();

/** The day that is shown while an earlier one is open. */
export const shownDay = (): string => shown;

/** Opens the books up to a day: by all that is known today, or only by what was `known` then. */
async function open(at: string, known: boolean): Promise<void> {
  const clocks = known ? { happened_until: at, known_at: at } : { happened_until: at };
  const asked = await post<Replay>("/replays", clocks, crypto.randomUUID());
  for (let second = 0; second < PATIENCE; second++) {
    const { state } = (await get<Replay>(`/replays/${asked.id}`)).data;
    if (state === "ready") {
      shown = at;
      readFrom(asked.id);
      go("/");
      return;
    }
    if (state !== "pending") break;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  toast(t("earlier.failed"), "bad");
}

export function EarlierPage() {
  const [back, setBack] = useState(7);
  const [known, setKnown] = useState(false);
  const chosen = day(-back);
  return (
    <Page title={t("nav.earlier")} lead={t("earlier.lead")}>
      <Card title={date(chosen, "full")}>
        <Form submit={t("earlier.open")} done={() => (replaying() && readFrom(null), open(chosen, known))}>
          <label class="field">
            <span>{t("earlier.back", { days: number(back) })}</span>
            <input type="range" min={1} max={BACK} value={BACK + 1 - back} onInput={(event) => setBack(BACK + 1 - Number(event.currentTarget.value))} aria-valuetext={date(chosen, "full")} />
          </label>
          <Field label={t("earlier.date")} name="day" type="date" max={day(-1)} min={day(-3650)} value={chosen} onChange={(event) => setBack(Math.max(1, Math.round((Date.parse(day()) - Date.parse(event.currentTarget.value)) / 86_400_000)))} />
          <label class="option">
            <input type="checkbox" name="known" checked={known} onChange={(event) => setKnown(event.currentTarget.checked)} />
            <span>
              <span>{t("earlier.known")}</span>
              <small>{t("earlier.known.text")}</small>
            </span>
          </label>
        </Form>
      </Card>
    </Page>
  );
}
