// Package mysql owns an example.
//
// Room: edge.
package mysql

import (
	_ "github.com/cockroachdb/pebble/v2"
	_ "github.com/go-sql-driver/mysql"
)
