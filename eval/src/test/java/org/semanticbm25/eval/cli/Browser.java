package org.semanticbm25.eval.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.openqa.selenium.By;
import org.openqa.selenium.Dimension;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.support.ui.WebDriverWait;

/** Debian's Chromium without a window, see {@code eval/browser.sh}. */
final class Browser implements AutoCloseable {
  private static final Path CHROMIUM = Path.of("/usr/bin/chromium");
  private static final Path DRIVER = Path.of("/usr/bin/chromedriver");

  private final ChromeDriver driver;

  /**
   * @param profile an empty folder
   */
  Browser(Path profile) {
    assumeTrue(
        Files.exists(CHROMIUM) && Files.exists(DRIVER),
        "no " + CHROMIUM + " and " + DRIVER + "; eval/browser.sh installs them");
    ChromeOptions options = new ChromeOptions().setBinary(CHROMIUM.toFile());
    options.addArguments(
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--user-data-dir=" + profile);
    driver =
        new ChromeDriver(
            new ChromeDriverService.Builder().usingDriverExecutable(DRIVER.toFile()).build(),
            options);
  }

  void open(String address, int width, boolean dark) {
    driver.executeCdpCommand(
        "Emulation.setEmulatedMedia",
        Map.of(
            "features",
            List.of(Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light"))));
    driver.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", 900, "deviceScaleFactor", 1, "mobile", false));
    driver.manage().window().setSize(new Dimension(width, 900));
    driver.get(address);
  }

  List<WebElement> all(String selector) {
    return driver.findElements(By.cssSelector(selector));
  }

  WebElement one(String selector) {
    return driver.findElement(By.cssSelector(selector));
  }

  void await(String what, java.util.function.BooleanSupplier condition) {
    new WebDriverWait(driver, Duration.ofSeconds(30))
        .withMessage(what)
        .until(d -> condition.getAsBoolean());
  }

  Object run(String script, Object... arguments) {
    return driver.executeScript(script, arguments);
  }

  /** Sets a value as a user does who moves a slider or types. */
  void set(String selector, String value) {
    run(
        "const e = document.querySelector(arguments[0]); e.value = arguments[1];"
            + " e.dispatchEvent(new Event('input', {bubbles: true}));",
        selector,
        value);
  }

  /** Nothing in the console, nothing wider than the window, nothing that axe-core finds serious. */
  void check(String name) throws IOException {
    for (LogEntry entry : driver.manage().logs().get(LogType.BROWSER)) {
      throw new AssertionError(name + ": " + entry);
    }
    assertEquals(
        true,
        run("return document.documentElement.scrollWidth <= window.innerWidth"),
        name + " is wider than the window");
    Object serious =
        driver.executeAsyncScript(
            axe()
                + ";const done = arguments[arguments.length - 1];"
                + "axe.run().then(r => done(r.violations"
                + ".filter(v => ['serious', 'critical'].includes(v.impact))"
                + ".map(v => v.id + ' ' + v.nodes.map(n => n.html).join(' '))))");
    assertEquals(List.of(), serious, name);
    Path shots = Files.createDirectories(Path.of("target/screenshots"));
    long height = (Long) run("return document.documentElement.scrollHeight");
    driver.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of(
            "width",
            ((Long) run("return window.innerWidth")).intValue(),
            "height",
            (int) height,
            "deviceScaleFactor",
            1,
            "mobile",
            false));
    byte[] picture = driver.getScreenshotAs(OutputType.BYTES);
    assertTrue(picture.length > 10_000, name + " is empty");
    Files.write(shots.resolve(name + ".png"), picture);
  }

  private static String axe() throws IOException {
    try (InputStream in = Browser.class.getResourceAsStream("/axe.min.js")) {
      return new String(
          Objects.requireNonNull(in, "axe.min.js").readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Override
  public void close() {
    driver.quit();
  }
}
