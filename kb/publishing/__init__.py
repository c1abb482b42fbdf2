"""What public pages share: edition, translations, sites, categories, announcements."""
