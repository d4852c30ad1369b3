// Command cmd exports nothing to anyone.
package main

func Bare() {}

func main() {}
