-- What an account says of a number that it rents.
ALTER TABLE numbers ADD COLUMN alias TEXT;
ALTER TABLE numbers ADD COLUMN application TEXT;

-- Searches by the beginning of a number: of an account's, of the inventory's (NULL) and of a pool's.
CREATE INDEX numbers_of_account ON numbers (account, number);
CREATE INDEX numbers_of_pool ON numbers (pool, number);
