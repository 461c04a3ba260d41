/** Everything that has no tab of its own on a phone. */
import { t } from "../../shared/i18n.ts";
import { Icon, type IconName } from "../../shared/icons.tsx";
import { Link } from "../../shared/router.tsx";
import { Page } from "../../shared/ui.tsx";

const PLACES: [string, IconName, string][] = [
  ["/baki", "baki", "nav.baki"],
  ["/cash", "cash", "nav.cash"],
  ["/forecasts", "forecast", "nav.forecasts"],
  ["/advice", "idea", "advice.title"],
  ["/upload", "upload", "nav.upload"],
  ["/earlier", "clock", "nav.earlier"],
  ["/shop", "shop", "nav.shop"],
];

export function MorePage() {
  return (
    <Page title={t("nav.more")}>
      <ul class="rows">
        {PLACES.map(([to, icon, text]) => (
          <li key={to}>
            <Link class="row" to={to}>
              <Icon name={icon} />
              <span class="main">
                <span>{t(text)}</span>
                <small>{t(`about.${icon}`)}</small>
              </span>
              <Icon name="next" />
            </Link>
          </li>
        ))}
      </ul>
    </Page>
  );
}
