/** What to do in a shop without sales: the sample ledger by one tap, an own ledger, or the first sale. */
import sample from "../../../../samples/tea_shop.csv?url";
import { upload } from "../../shared/api.ts";
import { t } from "../../shared/i18n.ts";
import { Icon } from "../../shared/icons.tsx";
import { Link, go } from "../../shared/router.tsx";
import { Act, Card } from "../../shared/ui.tsx";

async function trySample(): Promise<void> {
  const form = new FormData();
  form.append("file", await (await fetch(sample)).blob(), "sample_tea_shop.csv");
  const { file_id } = await upload<{ file_id: string }>("/data/upload-csv?date_order=dmy", form, crypto.randomUUID());
  go(`/upload/${file_id}`);
}

export function FirstSteps() {
  return (
    <div class="first">
      <Card title={t("first.title")} tone="advice">
        <p>{t("first.lead")}</p>
      </Card>
      <Card title={t("first.sample")}>
        <p class="soft">{t("first.sample.text")}</p>
        <div class="buttons">
          <Act class="primary" done={trySample}>
            {t("first.sample.do")}
          </Act>
        </div>
      </Card>
      <Card title={t("first.own")}>
        <p class="soft">{t("first.own.text")}</p>
        <div class="buttons">
          <Link class="quiet" to="/upload">
            <Icon name="upload" /> {t("upload.choose")}
          </Link>
        </div>
      </Card>
      <Card title={t("first.sale")}>
        <p class="soft">{t("first.sale.text")}</p>
        <div class="buttons">
          <Link class="quiet" to="/sales/new">
            <Icon name="plus" /> {t("sales.add")}
          </Link>
        </div>
      </Card>
    </div>
  );
}
