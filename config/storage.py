"""Static files under names that change with their content, modules included."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Imports between ES modules get hashed names too.

    Else old and new scripts mix for as long as browsers keep the old ones.
    """

    support_js_module_import_aggregation = True
