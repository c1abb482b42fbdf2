// The customer segment: a filter that is also a value of the customer.

const NAME = "客户类型"; // the name of the value, which fills such a blank

/** Keep `select` and the customer's value in step; `changed` is called when they change. */
export function followSegment({ select, customer, changed }) {
  const readText = () => (select.value ? select.selectedOptions[0].text : "");
  const follow = () => {
    const match = [...select.options].find(
      (option) => option.value && option.text === customer.get(NAME),
    );
    if (select.value === (match?.value ?? "")) return;
    select.value = match?.value ?? "";
    changed();
  };
  select.addEventListener("change", () => customer.set(NAME, readText()));
  customer.addEventListener("change", follow);
  if (select.value) customer.set(NAME, readText());
  else follow();
}
