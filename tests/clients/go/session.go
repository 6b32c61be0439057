// The scripted session of go-redis; see README.md beside this folder.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

var ctx = context.Background()

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func check(ok bool, what ...interface{}) {
	if !ok {
		log.Fatal(what...)
	}
}

func expectError(err error, start string) {
	check(err != nil && strings.HasPrefix(err.Error(), start), "got ", err, " instead of ", start)
}

// best returns the ids and scores of a list WITHSCORES: flat in RESP2, nested in RESP3.
func best(answer []interface{}, protocol int) (ids []string, scores []float64) {
	if protocol == 3 {
		for _, pair := range answer {
			ids = append(ids, pair.([]interface{})[0].(string))
			scores = append(scores, pair.([]interface{})[1].(float64))
		}
		return
	}
	for at := 0; at < len(answer); at += 2 {
		score, err := strconv.ParseFloat(answer[at+1].(string), 64)
		must(err)
		ids = append(ids, answer[at].(string))
		scores = append(scores, score)
	}
	return
}

func main() {
	key := os.Getenv("KEY")
	protocol, err := strconv.Atoi(os.Getenv("RESP"))
	must(err)
	client := redis.NewClient(&redis.Options{
		Addr:     "127.0.0.1:" + os.Getenv("PORT"),
		Password: os.Getenv("PASSWORD"),
		Protocol: protocol,
	})
	pong, err := client.Ping(ctx).Result()
	must(err)
	check(pong == "PONG", pong)
	value := "\x00\xff\r\n text"
	must(client.Set(ctx, key+":text", value, 0).Err())
	got, err := client.Get(ctx, key+":text").Result()
	must(err)
	check(got == value, got)
	check(client.Get(ctx, "missing").Err() == redis.Nil, "no nil")

	shop := key + ":shop"
	must(client.Do(ctx, "RECO.CREATE", shop, "DIM", 8).Err())
	pipe := client.Pipeline()
	for n := 0; n < 40; n++ {
		pipe.Do(ctx, "RECO.ADD", shop, fmt.Sprint("u", n%8), fmt.Sprint("i", n*3%10))
	}
	added, err := pipe.Exec(ctx)
	must(err)
	last := int64(0)
	for _, cmd := range added {
		number, err := cmd.(*redis.Cmd).Int64()
		must(err)
		check(number > last, number, " after ", last)
		last = number
	}
	must(client.Do(ctx, "RECO.RETRAIN", shop, "SYNC").Err())
	answer, err := client.Do(ctx, "RECO.TOPK", shop, "u1", "COUNT", 3, "WITHSCORES").Slice()
	must(err)
	ids, scores := best(answer, protocol)
	check(len(ids) == 3 && scores[0] >= scores[1] && scores[1] >= scores[2], answer)
	seen, err := client.Do(ctx, "RECO.HISTORY", shop, "u1", "COUNT", 100).StringSlice()
	must(err)
	for _, id := range ids {
		for _, item := range seen {
			check(id != item, id, " was seen")
		}
	}

	expectError(client.Do(ctx, "GET").Err(), "ERR wrong number of arguments for 'get' command")
	expectError(client.Do(ctx, "RECO.ADD", key+":text", "u", "i").Err(), "WRONGTYPE ")
	expectError(client.Do(ctx, "RECO.ADD", shop, "u", "i", "nan").Err(), "ERR ")
	number, err := client.Do(ctx, "RECO.ADD", shop, "u1", "i1").Int64()
	must(err)
	check(number == last+1, number)

	// A transaction: none of it is carried out, so that a second attempt counts nothing twice.
	_, err = client.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.Set(ctx, key+":within", "x", 0)
		pipe.Do(ctx, "RECO.ADD", shop, "u1", "i1")
		return nil
	})
	expectError(err, "ERR transactions are not supported")
	check(client.Exists(ctx, key+":within").Val() == 0, "carried out")
	number, err = client.Do(ctx, "RECO.ADD", shop, "u1", "i1").Int64()
	must(err)
	check(number == last+2, number)
	must(client.Close())
	fmt.Printf("go-redis %s, RESP%d: passed\n", redis.Version(), protocol)
}
