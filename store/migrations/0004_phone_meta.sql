-- A phone number is kept as Meta compares it, too: without the plus. Only what a column says changes.
ALTER TABLE identifiers COMMENT COLUMN IF EXISTS kind 'email_google, email_meta, phone (as Google compares it, with the plus), phone_meta (digits only), first_name, last_name (SHA-256, lower-case hex); country, zip (plain)';
