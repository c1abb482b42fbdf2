"""Static files with a hash of their content in the name."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Also hashes the names in imports between ES modules.

    Otherwise browsers combine cached old modules with new ones.
    """

    support_js_module_import_aggregation = True
