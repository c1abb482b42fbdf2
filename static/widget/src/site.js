// What our site and the host's page say about this widget.
/* global widgetSite */

/** The script element that put the widget into the page; null where it was loaded as a module. */
export const script = document.currentScript;

/** The attributes of that element. Read again at each use: the host may change them. */
export const attributes = script?.dataset ?? {};

/** The origin of our site. */
export const siteOrigin = script ? new URL(script.src).origin : "";

// `widgetSite` is the parameter of the function around the bundle: kb.faq.widget_script calls it.
export const { strings, tokens } = widgetSite;
