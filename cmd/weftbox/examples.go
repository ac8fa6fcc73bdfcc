package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// usualExamples are the examples of commands that have none where they are made, by what is typed. All are of the story in examples/coupon.
var usualExamples = map[string][]string{
	"activities config get":   {`weftbox activities config get autumn`},
	"activities config unset": {`weftbox activities config unset autumn max_visit_count`},
	"activities get":          {`weftbox activities get autumn`},
	"activities kill":         {`weftbox activities kill autumn`},
	"activities list":         {`weftbox activities list --state running`},
	"activities pause":        {`weftbox activities pause autumn`},
	"activities resume":       {`weftbox activities resume autumn`},
	"activities stats":        {`weftbox activities stats autumn -o table`},
	"alarms list":             {`weftbox alarms list autumn --alarm-before 2026-12-24T18:00:00Z`},
	"batch get":               {`weftbox batch get 1`},
	"batch list":              {`weftbox batch list -o table`},
	"batch start":             {`weftbox batch start pause autumn --where 'var("visit_count", 0) > 3' --dry-run --wait`},
	"batch stop":              {`weftbox batch stop 1`},
	"bench":                   {`weftbox bench counter --events 20000 --rounds 1`},
	"bench growth":            {`weftbox bench growth --threads 100000`},
	"clock advance":           {`weftbox clock advance 2d`},
	"clock now":               {`weftbox clock now`},
	"dead-letters delete":     {`weftbox dead-letters delete --all --reason decode`},
	"dead-letters get":        {`weftbox dead-letters get AFMAAAGasnOcQAAAAAAAAAAB`},
	"dead-letters list":       {`weftbox dead-letters list --activity autumn --limit 5`},
	"dead-letters replay":     {`weftbox dead-letters replay --all --reason panic`},
	"definitions delete":      {`weftbox definitions delete coupon 1 --force`},
	"definitions disable":     {`weftbox definitions disable coupon 1`},
	"definitions enable":      {`weftbox definitions enable coupon 1`},
	"definitions get":         {`weftbox definitions get coupon`, `weftbox definitions get coupon 1 --text`},
	"definitions list":        {`weftbox definitions list`},
	"definitions versions":    {`weftbox definitions versions coupon`},
	"demo":                    {`weftbox demo --shoppers 1000`},
	"exit-codes":              {`weftbox exit-codes`},
	"serve":                   {`weftbox serve --data shop`, `weftbox serve --data shop --clock manual --random-ports`},
	"services delete":         {`weftbox services delete coupon --force`},
	"services get":            {`weftbox services get coupon`},
	"services list":           {`weftbox services list`},
	"strategies delete":       {`weftbox strategies delete user_id_goods_id --force`},
	"strategies get":          {`weftbox strategies get user_id_goods_id`},
	"strategies list":         {`weftbox strategies list`},
	"threads explain":         {`weftbox threads explain autumn 10010_2002 --lang zh`},
	"threads get":             {`weftbox threads get autumn 10010_2002`},
	"threads kill":            {`weftbox threads kill autumn 10010_2002`},
	"threads list":            {`weftbox threads list autumn`, `weftbox threads list autumn --status waiting --where 'var("visit_count", 0) > 1' --limit 20`},
	"threads pause":           {`weftbox threads pause autumn 10010_2002`},
	"threads repair":          {`weftbox threads repair autumn 10010_2002 goto waiting_buy --var notified=true`},
	"threads resume":          {`weftbox threads resume autumn 10010_2002`},
	"version":                 {`weftbox version`},
}

// addExamples gives the commands below one their examples.
func addExamples(c *cobra.Command) {
	if lines := usualExamples[strings.TrimPrefix(c.CommandPath(), "weftbox ")]; lines != nil && c.Example == "" {
		c.Example = "  " + strings.Join(lines, "\n  ")
	}
	for _, sub := range c.Commands() {
		addExamples(sub)
	}
}
