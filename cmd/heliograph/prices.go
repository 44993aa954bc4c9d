package main

import (
	"fmt"
	"os"

	"github.com/heliograph/heliograph/internal/numbering"
	"github.com/heliograph/heliograph/internal/pricing"
)

// readPrices reads the price list, and gives every error that it finds. No file is no list: nothing costs anything.
func readPrices(file string) (*pricing.Table, []error) {
	if file == "" {
		return nil, nil
	}
	list, err := os.Open(file)
	if err != nil {
		return nil, []error{fmt.Errorf("prices: %w", err)}
	}
	defer list.Close()
	table, errs := pricing.Read(list, func(country string) bool {
		_, known := numbering.CallingCode(country)
		return known
	})
	for i, err := range errs {
		errs[i] = fmt.Errorf("prices: %s: %w", file, err)
	}
	return table, errs
}
