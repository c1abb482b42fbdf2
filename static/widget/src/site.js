// The widget's configuration: from the site, and from the script element in the host's page.
/* global widgetSite */

/** The script element of the widget; null where it was loaded as a module. */
export const script = document.currentScript;

/** The data attributes of that element, live: the host may change them. */
export const attributes = script?.dataset ?? {};

/** The origin of the help site. */
export const siteOrigin = script ? new URL(script.src).origin : "";

// `widgetSite` is the parameter of the function around the bundle: see
// kb/web/faq/widget_script.py.
export const { strings, tokens } = widgetSite;
