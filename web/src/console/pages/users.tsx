/** Accounts with their shops. */
import { date, number, t } from "../../shared/i18n.ts";
import { useList } from "../../shared/list.ts";
import { Link } from "../../shared/router.tsx";
import { Act, Chip, Data, Empty, Page, Table } from "../../shared/ui.tsx";
import { Filter, filters } from "../parts.tsx";
import type { Account } from "../types.ts";

export function UsersPage() {
  const users = useList<Account>(`/admin/users?limit=50${filters("is_staff", "business_id")}`);
  return (
    <Page title={t("nav.users")}>
      <div class="filters">
        <Filter name="is_staff" options={["", "true", "false"]} />
        <Filter name="business_id" />
      </div>
      <Data of={users}>
        {({ results, count }) =>
          count === 0 ? (
            <Empty icon="customers" title={t("users.none")} />
          ) : (
            <>
              <Table
                caption={t("nav.users")}
                head={["#", t("email"), t("name"), t("business"), t("role"), t("created_at")]}
                rows={results.map((user) => [
                  number(user.id),
                  user.email ?? <span class="soft">{t("users.forgotten")}</span>,
                  user.first_name ?? "–",
                  user.business ? <Link to={`/events?business_id=${user.business.id}`}>{`${user.business.name} (${number(user.business.id)})`}</Link> : "–",
                  <>
                    {user.is_staff && <Chip>{t("users.staff")}</Chip>}
                    {user.business?.is_demo && <Chip tone="plain">{t("users.demo")}</Chip>}
                    {!user.is_active && <Chip tone="bad">{t("users.inactive")}</Chip>}
                  </>,
                  user.created_at ? date(user.created_at, "full") : "–",
                ])}
              />
              {users.more && <Act done={users.more}>{t("more.load", { left: count - results.length })}</Act>}
            </>
          )
        }
      </Data>
    </Page>
  );
}
