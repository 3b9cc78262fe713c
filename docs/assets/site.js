// What the theme leaves out for readers who hear a page or use it by keys: a name for
// the search, one landmark less for each block of code, and tables that keys can scroll.
const mend = () => {
  const search = document.querySelector(".md-search");
  search?.setAttribute("aria-label", "Search");
  search?.querySelector(".md-search__options")?.setAttribute("aria-label", "Search options");
  for (const bar of document.querySelectorAll(".md-code__nav")) bar.role = "none";
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap")) table.tabIndex = 0;
};
mend();
new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
