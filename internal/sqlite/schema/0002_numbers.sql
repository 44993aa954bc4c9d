-- What an account says of a number that it rents.
ALTER TABLE numbers ADD COLUMN alias TEXT;
ALTER TABLE numbers ADD COLUMN application TEXT;

-- Searches by the beginning of a number: of an account's, of the inventory's (NULL) and of a pool's.
CREATE INDEX numbers_by_account_number ON numbers (account, number);
CREATE INDEX numbers_by_pool_number ON numbers (pool, number);
