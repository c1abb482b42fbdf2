// Which kind of customer this is: chosen once, and gone with the customer.

const NAME = "客户类型"; // as a value of the customer: it shows, and fills such a blank

/** Let `select` and what is known of the customer say the same; `changed` when it does. */
export function followSegment({ select, customer, changed }) {
  const spoken = () => (select.value ? select.selectedOptions[0].text : "");
  const follow = () => {
    const known = [...select.options].find((one) => one.value && one.text === customer.get(NAME));
    if (select.value === (known?.value ?? "")) return;
    select.value = known?.value ?? "";
    changed();
  };
  select.addEventListener("change", () => customer.set(NAME, spoken()));
  customer.addEventListener("change", follow);
  if (select.value) customer.set(NAME, spoken());
  else follow();
}
